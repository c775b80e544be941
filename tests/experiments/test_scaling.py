"""What is asked of the processes in each way; that they run is tested with the launcher."""

import pytest

from experiments import scaling


@pytest.mark.parametrize(
    ("way", "n", "batch_size"), [*zip(scaling.WAYS, (1, 2, 2), (8, 8, 16), strict=True)]
)
def test_each_way_asks_for_its_processes(way, n, batch_size, tmp_path, monkeypatch):
    asked = {}

    def launch(n_processes, folder, **options):
        asked.update(options, n=n_processes, folder=folder)
        return [{"images_per_s": 50.0, "peak_mib": 700 + k} for k in range(n_processes)]

    monkeypatch.setattr(scaling, "launch", launch)
    (row,) = scaling.measure_scaling(tmp_path, 8, way, 1)["rows"]
    assert row == {"images_per_s": 50.0, "peak_mib": 699 + n}
    assert (asked["n"], asked["batch_size"]) == (n, batch_size)
    assert asked["environ"]["TUTORIAL_PROFILE"] == "tiny" and asked["anew"]
