from .api import (
    Report as Report,
)
from .api import (
    run as run,
)
from .codec import (
    UnstorableError as UnstorableError,
)
from .errors import (
    ArgumentChangedError as ArgumentChangedError,
)
from .errors import (
    BarrierError as BarrierError,
)
from .errors import (
    GaveUpError as GaveUpError,
)
from .errors import (
    IterationError as IterationError,
)
from .errors import (
    JugfileError as JugfileError,
)
from .errors import (
    NoResultError as NoResultError,
)
from .errors import (
    OptionError as OptionError,
)
from .errors import (
    TaskgraphError as TaskgraphError,
)
from .errors import (
    TaskInsideTaskError as TaskInsideTaskError,
)
from .errors import (
    TasksFailedError as TasksFailedError,
)
from .errors import (
    UnhashableError as UnhashableError,
)
from .errors import (
    UsageError as UsageError,
)
from .jugfile import (
    CachedFunction as CachedFunction,
)
from .jugfile import (
    barrier as barrier,
)
from .jugfile import (
    bvalue as bvalue,
)
from .jugfile import (
    init as init,
)
from .jugfile import (
    is_jug_running as is_jug_running,
)
from .jugfile import (
    set_jugdir as set_jugdir,
)
from .plan import (
    Options as Options,
)
from .task import (
    Task as Task,
)
from .task import (
    TaskGenerator as TaskGenerator,
)
from .task import (
    Tasklet as Tasklet,
)
from .unpacking import (
    iteratetask as iteratetask,
)
from .unpacking import (
    return_tuple as return_tuple,
)
from .values import (
    value as value,
)

__version__: str
