"""Read inputs ahead from object stores and web servers, and keep runs in stores."""
