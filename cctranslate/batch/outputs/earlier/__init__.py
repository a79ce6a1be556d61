"""The results of earlier calls: which are there, and which go because later ones supersede them."""
