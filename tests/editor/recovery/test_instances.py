import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from editor.recovery.instances import DAMAGED, Instance, claim_leftovers
from editor.system.errors import WritingError

CHILD = """
import sys, time
from pathlib import Path
from editor.recovery.instances import Instance
instance = Instance.begin(Path(sys.argv[1]))
instance.new_document().mkdir()
print(instance.folder.name, flush=True)
time.sleep(60)
"""


def test_an_empty_folder_goes_with_its_run(tmp_path: Path) -> None:
    instance = Instance.begin(tmp_path / "recovery")
    assert instance.folder.is_dir()
    instance.end()
    assert not instance.folder.exists()


def test_documents_stay_and_are_claimed_once(tmp_path: Path) -> None:
    instance = Instance.begin(tmp_path)
    place = instance.new_document()
    place.mkdir()
    assert claim_leftovers(tmp_path) == []  # it still runs
    instance.end()
    claimed = claim_leftovers(tmp_path)
    assert [item.documents() for item in claimed] == [(place,)]
    assert claim_leftovers(tmp_path) == []
    claimed[0].end()
    (again,) = claim_leftovers(tmp_path)
    again.end()


def test_nothing_is_claimed_where_nothing_is(tmp_path: Path) -> None:
    assert claim_leftovers(tmp_path / "none") == []
    (tmp_path / DAMAGED / "x").mkdir(parents=True)
    assert claim_leftovers(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_leaves_its_folder_to_others(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    name = child.stdout.readline().strip()
    try:
        assert claim_leftovers(tmp_path) == []
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    (left,) = claim_leftovers(tmp_path)
    assert left.folder.name == name
    left.end()


def test_a_place_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WritingError, match="could not be written"):
        Instance.begin(tmp_path / "file")
