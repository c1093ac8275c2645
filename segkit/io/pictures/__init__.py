"""Pictures (PNG, JPEG and whatever else imageio reads) and folders of them."""
