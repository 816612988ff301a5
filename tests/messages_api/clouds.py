"""The doors of two clouds: they check who comes, and lead to the Messages API inside.

Written from the clouds' own documents (AWS Signature Version 4, RFC 7523), not with
their libraries: those are on the other side.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
import urllib.parse
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.messages_api.values import ApiError, dumps, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.messages_api.http import Request

_LATE = 900
"""Seconds by which a signature's date may differ from ours."""
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whoever is asked for the token, this is whom an assertion is made for."""
_TOKEN = "ya29.made-on-loopback"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def _refused(message: str) -> ApiError:
    return ApiError(403, "permission_error", message)


@dataclass(frozen=True, slots=True)
class Bedrock:
    """Lets in whoever signs with the secret, or shows the bearer key.

    `seen` are the requests as they came; inside, models have no vendor in their name.
    """

    key: str = "AKIALOOPBACK00000000"
    secret: str = "loop/back+secret"
    region: str = "eu-loop-1"
    bearer: str = "bedrock-api-key-loopback"
    seen: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Request:
        self.seen.append(request)
        if request.headers.get("authorization") != f"Bearer {self.bearer}":
            self._check(request)
        body = json.loads(request.body)
        vendor, _, model = str(body.get("model")).partition(".")
        if vendor != "anthropic":
            raise ApiError(404, "not_found_error", f"model: {body.get('model')}")
        plain = {**request.headers, "x-api-key": "test", "authorization": ""}
        return replace(request, headers=plain, body=dumps({**body, "model": model}))

    def _check(self, request: Request) -> None:
        given = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if given is None:
            raise _refused("Missing Authentication Token")
        date = request.headers.get("x-amz-date", "")
        scope = f"{date[:8]}/{self.region}/bedrock-mantle/aws4_request"
        if given["key"] != self.key or given["scope"] != scope:
            raise _refused("The security token included in the request is invalid")
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        if abs(_seconds(moment) - _seconds(date)) > _LATE:
            raise _refused("Signature expired")
        if self._signature(request, scope, given["headers"]) != given["signature"]:
            raise _refused("The request signature we calculated does not match")

    def _signature(self, request: Request, scope: str, names: str) -> str:
        path, _, query = request.path.partition("?")
        headers = {**request.headers}
        canonical = "\n".join(
            (
                request.method,
                urllib.parse.quote(path, safe="/-_.~"),
                query,
                *(f"{n}:{' '.join(headers[n].split())}" for n in names.split(";")),
                "",
                names,
                hashlib.sha256(request.body).hexdigest(),
            )
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        date = request.headers["x-amz-date"]
        text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}"
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


def _seconds(date: str) -> float:
    return time.mktime(time.strptime(date, "%Y%m%dT%H%M%SZ"))


@dataclass(frozen=True, slots=True)
class Vertex:
    """Gives a token for a signed assertion, and lets in whoever shows it."""

    url: str
    public: rsa.RSAPublicKey
    account: str = "robot@loopback.iam"
    project: str = "a-project"
    region: str = "loop-east1"
    seen: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Request | bytes:
        self.seen.append(request)
        if request.path == "/token":
            return self._token(request.body.decode())
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            raise ApiError(401, "authentication_error", "no such token")
        return self._inside(request)

    def _token(self, form: str) -> bytes:
        fields = dict(urllib.parse.parse_qsl(form))
        head, claims, signature = fields["assertion"].split(".")
        try:
            self.public.verify(
                _decoded(signature),
                f"{head}.{claims}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature as error:
            raise ApiError(400, "invalid_grant", "Invalid JWT Signature.") from error
        said: Mapping[str, object] = json.loads(_decoded(claims))
        wanted = {"iss": self.account, "aud": _AUDIENCE, "scope": _SCOPE}
        if fields["grant_type"] != _GRANT or wanted.items() - said.items():
            raise ApiError(400, "invalid_grant", "Invalid JWT.")
        return dumps({"access_token": _TOKEN, "expires_in": 3600})

    def _inside(self, request: Request) -> Request:
        """The model out of the path, the version out of the body."""
        place = f"/projects/{self.project}/locations/{self.region}"
        models = f"{place}/publishers/anthropic/models/"
        model, _, action = request.path.removeprefix(models).partition(":")
        if not request.path.startswith(models):
            raise ApiError(404, "not_found_error", f"not found: {request.path}")
        body = json.loads(request.body)
        version = body.pop("anthropic_version", None)
        if version is None or ("model" in body) != (model == "count-tokens"):
            raise invalid("anthropic_version: Field required")
        stream = "streamRawPredict" if body.get("stream") else "rawPredict"
        if action != stream:
            raise invalid(f"no such method: {action}")
        inner = {**request.headers, "x-api-key": "test", "anthropic-version": version}
        inner["authorization"] = ""
        counting = model == "count-tokens"
        path = "/v1/messages" + ("/count_tokens" if counting else "")
        whole = body if counting else {**body, "model": model}
        return replace(request, path=path, headers=inner, body=dumps(whole))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
