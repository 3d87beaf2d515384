"""The builder of the notes: runs their code, renders their prose, writes the site."""
