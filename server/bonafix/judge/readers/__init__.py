"""What models that read are asked, and what of their answers is executed."""
