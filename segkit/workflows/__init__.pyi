from .inputs import (
    FileStamp as FileStamp,
    ImageChangedError as ImageChangedError,
)
from .pipeline_jugfile import (
    PipelineJugfile as PipelineJugfile,
)
from .pipelines import (
    Outputs as Outputs,
    pipeline_tasks as pipeline_tasks,
)
from .plates.running import (
    PlateResult as PlateResult,
    run_plate as run_plate,
)
from .stored import (
    StoredArray as StoredArray,
)

__all__: list[str]
