"""A classifier in other processes: after a fork, and where it was sent."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="fork is for Linux")


@pytest.mark.parametrize("device", ["0", "cpu"])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_classifier_in_use_works_in_children(output, method, device):
    assert output("children.py", method, device) == "the same in 2 children, and here again\n"


def test_a_child_of_a_child_opens_its_own_and_ends(output):
    assert output("grandchild.py") == "the same in a grandchild, which ended\n"
