"""What the documentation says happens, and everything has some."""

import doctest
import importlib
import inspect
import pkgutil

import densenet_wgpu as dn
import nbformat
import pytest
from conftest import ROOT, SECONDS
from nbclient import NotebookClient

MODULES = [f"{dn.__name__}.{module.name}" for module in pkgutil.iter_modules(dn.__path__) if module.name != "_native"]


@pytest.mark.parametrize("name", [dn.__name__, *MODULES])
def test_examples_in_docstrings_hold(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples(monkeypatch):
    finder = doctest.DocTestFinder(exclude_empty=True)
    examples = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(examples) > 10


def test_examples_in_the_documentation_hold(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testfile(str(ROOT / "docs/python.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0 and found.attempted > 20


@pytest.mark.parametrize("name", dn.__all__)
def test_everything_public_is_explained(name):
    public = getattr(dn, name)
    if name == "__version__":
        assert public.count(".") == 2
        return
    assert inspect.getdoc(public), name
    if inspect.isclass(public):
        own = {key: value for key, value in vars(public).items() if not key.startswith("_")}
        methods = [key for key, value in own.items() if inspect.isfunction(value) or isinstance(value, property)]
        assert [key for key in methods if not inspect.getdoc(own[key])] == []


@pytest.mark.parametrize("path", sorted((ROOT / "python/examples").glob("*.ipynb")), ids=lambda path: path.name)
def test_the_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}})
    client.execute()
    assert any(output.get("data", {}).get("text/plain") for cell in notebook.cells for output in cell.get("outputs", []))
