"""Writing files: `inference.files`, under the name that the editor's modules know."""

from inference.files import atomic_write, remove_strays, sync_file, sync_folder, writing_error

__all__ = ["atomic_write", "remove_strays", "sync_file", "sync_folder", "writing_error"]
