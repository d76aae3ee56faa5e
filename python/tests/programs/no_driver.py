"""Opens a classifier where there is no driver."""

import os

os.environ["VK_DRIVER_FILES"] = os.environ["VK_ICD_FILENAMES"] = "/none.json"

import densenet_wgpu as dn

try:
    dn.Classifier("digits")
except dn.DeviceError as error:
    print(f"{type(error).__name__}: {error}")
