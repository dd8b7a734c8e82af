"""torchvision can be imported beside a torch that it was not built for."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest


@pytest.mark.skipif(
    find_spec("torch") is None or find_spec("torchvision") is None, reason="needs torch and torchvision"
)
def test_torchvision_is_importable() -> None:
    code = (
        "from controls.torchvision_guard import make_torchvision_importable as make; "
        "first = make(); again = make(); "
        "import torchvision, torchvision.transforms, torchvision.models; "
        "assert not again and not make(); print('fine', first)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("fine"), done.stderr


def test_without_torch_there_is_nothing_to_do() -> None:
    code = (
        "import sys, importlib.util as u; real = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name.startswith('torch') else real(name, *a); "
        "from controls.torchvision_guard import make_torchvision_importable as make; "
        "assert not make(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
