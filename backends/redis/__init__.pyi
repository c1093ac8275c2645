from .redis_log import RedisLog as RedisLog

__all__: list[str]
