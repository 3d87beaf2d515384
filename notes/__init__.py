"""The twelve notes: code that runs, prose in two languages, and the site that shows them."""
