"""LiteLLM's proxy, as a user would put it before the API: here before our own server.

It checks its own key and sends another one on, knows no model's capabilities, and
rewrites whatever it believes that a model does not take.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.messages_api import MessagesApi, Script, Turn
from tests.peers.installing import litellm
from tests.peers.serving import HOST, Peer, free_port, serving

MODELS = {
    "claude-opus-5-5": "claude-opus-5-5",
    "house": "claude-opus-5-5",  # a name in nobody's table
    "modest": "plain",  # answers of 8192 tokens at most, no thinking
}
"""The gateway's names for models, and the names behind it."""
UPSTREAM_KEY = "the-gateway-s-own-key"
# What it would fetch from elsewhere at its start comes from its own files.
_OFFLINE = (
    *("LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"),
    *("LITELLM_LOCAL_AUTOROUTER_PRESETS", "LITELLM_LOCAL_BLOG_POSTS"),
    "LITELLM_LOCAL_POLICY_TEMPLATES",
)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The proxy that is running, and the port behind it."""

    peer: Peer
    behind: int

    @contextlib.contextmanager
    def before(
        self, *turns: Turn, keys: frozenset[str] = frozenset({UPSTREAM_KEY})
    ) -> Iterator[MessagesApi]:
        """The server with a script of its own, which the gateway asks meanwhile."""
        with MessagesApi(Script.of(*turns), port=self.behind, keys=keys) as api:
            yield api


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    """The proxy's process; what is behind it may come and go."""
    behind = free_port()
    config = folder / "config.yaml"
    config.write_text(json.dumps(_config(f"http://{HOST}:{behind}")), "utf-8")  # YAML
    peer = Peer(f"http://{HOST}:{free_port()}", f"sk-{secrets.token_hex(32)}")
    port = peer.url.rpartition(":")[2]
    command = [litellm(), "--config", config, "--host", HOST, "--port", port]
    settings = {**dict.fromkeys(_OFFLINE, "True"), "LITELLM_MASTER_KEY": peer.key}
    health = f"{peer.url}/health/liveliness"
    with serving(command, folder, health=health, settings=settings):
        yield Gateway(peer, behind)


def _config(url: str) -> dict[str, object]:
    """As documented, but for the retries: ours alone are counted here."""
    behind = {"api_base": url, "api_key": UPSTREAM_KEY}
    return {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {"model": f"anthropic/{model}", **behind},
            }
            for name, model in MODELS.items()
        ],
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
