"""The small diffusion model: ``model``, in the hub's layout, with its ControlNet in ``model/controlnet``."""
