"""Which device is used, what is done with software, and a device that is lost."""

import os
import subprocess
import sys

import densenet_wgpu as dn
import numpy as np
import pytest
from conftest import ROOT, SECONDS

PROGRAM = """
import densenet_wgpu as dn
try:
    print(dn.Classifier("digits", software="allow").devices)
except dn.DeviceError as error:
    print(error)
"""


def with_variable(value):
    """What a program prints where the variable has this value."""
    environment = {**os.environ, "DENSENET_DEVICE": value}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT, check=True).stdout


def test_the_variable_is_the_default():
    assert with_variable("cpu") == "['cpu']\n"
    assert with_variable("") == f"{[dn.devices()[0].name]}\n"
    assert with_variable("gefroce").startswith('DENSENET_DEVICE=gefroce: no adapter is called "gefroce"')
    assert with_variable("ff:1f.7").startswith("DENSENET_DEVICE=ff:1f.7: no adapter is at the PCI address 0000:ff:1f.7. There are: 0 = ")


def test_an_address_that_is_not_there_is_refused_with_what_is():
    with pytest.raises(dn.DeviceError, match="no adapter is at the PCI address 0000:ff:1f.7") as refused:
        dn.Classifier("digits", device="0000:ff:1f.7")
    assert dn.devices()[0].name in str(refused.value) and str(refused.value).endswith('"cpu" for the reference')
    for device in dn.devices():
        assert device.pci_address is None or device.pci_address.count(":") == 2


def test_software_is_used_with_a_warning_refused_or_allowed(path, net):
    if not dn.devices()[0].is_software:
        pytest.fail("this test needs a machine without a GPU")
    with dn.Classifier("digits", software="allow") as allowed:
        assert allowed.warnings == [] and np.array_equal(allowed.logits(path), net.logits(path))
    for refuse in (dn.Classifier, dn.verify):
        with pytest.raises(dn.DeviceError, match="expected a GPU, found .*, a software device") as refused:
            refuse("digits", software="refuse")
        assert str(refused.value).endswith('(software="allow")')
    dn.Classifier("digits", device="cpu", software="refuse").close()
    with pytest.raises(dn.InputError, match='software: expected "warn", "refuse" or "allow", found "never"'):
        dn.Classifier("digits", software="never")


def test_a_lost_device_raises_and_another_classifier_opens_it_again(path, net):
    lost = dn.Classifier("digits", software="allow")
    lost._opened().lose_devices()
    for on_error in ("raise", "return"):
        with pytest.raises(dn.DeviceLostError, match="open it again"):
            lost.classify([path] * 40, on_error=on_error)
    with dn.Classifier("digits", software="allow") as again:
        assert np.array_equal(again.logits(path), net.logits(path))
