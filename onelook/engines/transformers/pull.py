"""Fetching a model before it is used: loading one never waits for the network."""

from __future__ import annotations

import errno
from pathlib import Path

from onelook.engines.transformers.loading import UNUSED_FILES, require_packages
from onelook.errors import EngineIncapable


def pull(model: str, *, token: str | None = None) -> Path:
    """Fetch the Hugging Face model `model` into the local cache and return its folder; files that are there are kept.

    huggingface_hub draws its progress bars on stderr, and resumes a fetch that was interrupted. `token` defaults to
    HF_TOKEN or the one that `hf auth login` stored.

    Raises:
        EngineIncapable: no such model, no permission, no connection, or no space left.
    """
    require_packages("huggingface_hub")
    import httpx2
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    hub = constants.ENDPOINT
    try:
        return Path(snapshot_download(model, token=token, ignore_patterns=list(UNUSED_FILES)))
    except HFValidationError as error:
        raise EngineIncapable(
            f"{model!r} is not a Hugging Face id: {error}", hint="an id is like Qwen/Qwen2.5-VL-3B-Instruct"
        ) from None
    except GatedRepoError:
        raise EngineIncapable(
            f"{model} is gated: its owner gives it only to accounts that agreed to its terms",
            hint=f"agree at {hub}/{model}, then set HF_TOKEN or run `hf auth login`",
        ) from None
    except RepositoryNotFoundError:
        raise EngineIncapable(
            f"{hub} has no model {model}, or it is private",
            hint="check the spelling; for a private model set HF_TOKEN or run `hf auth login`",
        ) from None
    except (LocalEntryNotFoundError, httpx2.HTTPError) as error:
        raise EngineIncapable(
            f"cannot fetch {model} from {hub}: {str(error).splitlines()[0]}",
            hint="connect this machine, or fetch it on another one and copy the folder here; "
            "files that have arrived are kept, so the same command continues",
        ) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise EngineIncapable(
            f"no space left for {model} in {constants.HF_HUB_CACHE}", hint="set HF_HOME to a folder on a larger disk"
        ) from error
