"""Bearer tokens: who they are of, or why they are refused."""

from userscope.errors import MissingExtra

try:
    import jwt  # noqa: F401  # whether it is there
except ModuleNotFoundError as error:
    raise MissingExtra("pyjwt", "auth") from error

from userscope.auth.issuers import Issuer, by_issuer_and_subject
from userscope.auth.verifier import Bearer, TokenVerifier

__all__ = ["Bearer", "Issuer", "TokenVerifier", "by_issuer_and_subject"]
