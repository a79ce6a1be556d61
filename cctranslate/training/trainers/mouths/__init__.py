"""The trainers of the teacher of mouths, and of the student that redraws them."""
