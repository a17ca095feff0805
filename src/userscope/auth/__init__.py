"""Bearer tokens of Better Auth and Neon Auth: who they are of, or why they are refused."""

from userscope.errors import MissingExtra

try:
    import jwt  # noqa: F401  # whether it is there
except ModuleNotFoundError as error:
    raise MissingExtra("pyjwt", "auth") from error

from userscope.auth.verifier import TokenVerifier

__all__ = ["TokenVerifier"]
