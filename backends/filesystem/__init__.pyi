from .file_log import FileLog as FileLog

__all__: list[str]
