"""The masker sam2: SAM 2 in streaming order, on the package ``sam2``. Only ``network`` and ``following`` import torch."""
