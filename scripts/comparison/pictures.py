"""A folder of pictures."""

from .engine import FOLDER_BATCH, PEERS
from .process import Failure, take_turns
from .table import cell, section, table


def pictures(comparison):
    """Return the table of a folder of pictures."""
    count = comparison.effort.pictures
    text = section(
        "A folder of pictures",
        f"JPEGs of 640x480 to labels, {FOLDER_BATCH} at once; images a second between the first "
        f"{FOLDER_BATCH} and the last of {count}, so that the start is not in it. *reading alone*: "
        "the same with a network that computes next to nothing. *network alone*: warm runs with "
        "the same batch. The slower of the two is what can be reached.",
        [
            f"densenet classify FOLDER --model M --preprocess torchvision --batch {FOLDER_BATCH}",
            f"densenet bench --model M --batch {FOLDER_BATCH} --format json",
        ],
    )
    try:
        folders = {
            number: comparison.folder / f"pictures-{number}" for number in [FOLDER_BATCH, count]
        }
        for number, folder in folders.items():
            folder.mkdir()
            comparison.shell.run([comparison.python, PEERS, "pictures", number, folder])
    except Failure as failure:
        return text + table(["", "images/s"], [("classify", cell(failure, ""))])
    models = {"classify": comparison.ours.model, "reading alone": comparison.folder / "tiny.safetensors"}
    measurements = {
        f"{name}, {number}": lambda folder=folder, model=model: comparison.ours.classify(
            folder, model
        )
        for name, model in models.items()
        for number, folder in folders.items()
    }
    options = {"batch": FOLDER_BATCH, "runs": comparison.effort.runs_of_batches}
    seconds = take_turns(
        comparison.effort.rounds,
        measurements | {"network alone": lambda: comparison.ours.seconds(**options)},
    )

    def rate(name):
        few, all_of_them = seconds[f"{name}, {FOLDER_BATCH}"], seconds[f"{name}, {count}"]
        for value in [few, all_of_them]:
            if isinstance(value, Failure):
                return value
        if all_of_them <= few:
            return Failure(f"{count} pictures took no longer than {FOLDER_BATCH}")
        return (count - FOLDER_BATCH) / (all_of_them - few)

    network = seconds["network alone"]
    rates = {name: rate(name) for name in models}
    rates["network alone"] = network if isinstance(network, Failure) else FOLDER_BATCH / network
    return text + table(
        ["", "images/s"], [(name, cell(value, "{:.1f}")) for name, value in rates.items()]
    )
