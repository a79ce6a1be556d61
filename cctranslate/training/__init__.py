"""`cctranslate fit`, `export` and `evaluate`: train on FER2013 and export a bundle, with torch."""
