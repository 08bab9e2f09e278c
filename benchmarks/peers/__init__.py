"""What softtricks is compared with: the same work as a PyTorch or JAX user would write it, and as other
packages on PyPI do it. One module a family of structures; `works()` of each lists its rows."""
