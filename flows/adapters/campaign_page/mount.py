"""`/campaigns` next to the API: who only predicts loads nothing of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from functions.churn_api.asgi import App, Receive, Scope, Send

PATH = "/campaigns"


@dataclass
class WithCampaignPage:
    """An ASGI app: the page, which `build` makes at its first request, and `api` for everything else."""

    api: App
    build: Callable[[], App]
    base_path: str = ""
    _built: list[App] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._is_ours(scope["path"]):
            await self.api(scope, receive, send)
            return
        if not self._built:
            self._built.append(self.build())
        await self._built[0](scope, receive, send)

    def _is_ours(self, path: str) -> bool:
        if path.startswith(self.base_path + "/"):
            path = path.removeprefix(self.base_path)
        return path == PATH or path.startswith(PATH + "/")
