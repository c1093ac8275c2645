from .results import Results as Results

__all__: list[str]
