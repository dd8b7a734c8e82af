"""The masker sam2: SAM 2 in streaming order, by transformers or by its makers' package.

Only ``following`` and the networks import torch.
"""
