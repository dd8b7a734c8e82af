"""``restyle doctor``, for real."""

from __future__ import annotations

from command import Caller


def test_doctor(restyle_command: Caller) -> None:
    said = restyle_command("doctor")
    assert "restyle works here." in said.out
    found = restyle_command("doctor", "--json").json
    assert found["ok"] is True
    assert {"numpy", "multistyle26.onnx", "h264", "yaml"} <= {check["name"] for check in found["checks"]}
