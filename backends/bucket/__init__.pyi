from .bucket_log import BucketLog as BucketLog, open_log as open_log

__all__: list[str]
