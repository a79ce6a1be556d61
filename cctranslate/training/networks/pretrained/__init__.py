"""Networks from elsewhere, which know more pictures than FER2013 has."""
