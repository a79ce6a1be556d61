"""`cctranslate batch`: translate pictures with an exported bundle. It never imports torch."""
