"""Looking inside: networks (`lens.network`) and Python itself (`lens.python`)."""
