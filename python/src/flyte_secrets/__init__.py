"""Secrets for Flyte tasks that run in this process: values of this machine, or fake ones."""

from ._command import LocalSecretsError, local_secrets
from ._fake import fake_secrets

__all__ = ["LocalSecretsError", "fake_secrets", "local_secrets"]
