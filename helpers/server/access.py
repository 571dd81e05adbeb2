"""Who may do what, how often, and what every answer carries."""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import exception_handler

from helpers.server.models import Client, Job

# Everything comes from the service itself; pictures also from the browser's memory, before they are sent.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SESSION_OWNER = "owner"


@dataclass(frozen=True)
class Owner:
    """Whoever sends pictures: a client with a token, or a browser that has opened the page."""

    key: str
    has_token: bool
    is_authenticated = True


class ClientAuthentication(TokenAuthentication):
    """`Authorization: Bearer TOKEN`, with a token from `python -m helpers.server token NAME`."""

    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[Owner, str]:
        client = Client.objects.filter(digest=Client.digest_of(key)).first()
        if client is None:
            raise exceptions.AuthenticationFailed("this token is not known here")
        return Owner(f"token-{client.pk}", has_token=True), key


class PageAuthentication(SessionAuthentication):
    """The page's signed cookie; what changes something also needs its CSRF token, so that no other site can do it."""

    def authenticate(self, request) -> tuple[Owner, None] | None:
        key = request._request.session.get(SESSION_OWNER)
        if key is None:
            return None
        self.enforce_csrf(request)
        return Owner(f"page-{key}", has_token=False), None


def greet(request: HttpRequest) -> None:
    """Make the browser that opens the page an owner."""
    if SESSION_OWNER not in request.session:
        request.session[SESSION_OWNER] = secrets.token_urlsafe(16)


class IsOwner(BasePermission):
    """Only who sent a picture may delete it."""

    message = "only the one who sent the picture may delete it"

    def has_permission(self, request, view) -> bool:
        return request.user is not None

    def has_object_permission(self, request, view, obj: Job) -> bool:
        return obj.owner == request.user.key


class _Throttle(SimpleRateThrottle):
    def get_rate(self) -> str:
        return settings.RATES[self.scope]

    def key(self, ident: str) -> str:
        return self.cache_format % {"scope": self.scope, "ident": ident}


class TokenThrottle(_Throttle):
    scope = "token"

    def get_cache_key(self, request, view) -> str | None:
        return self.key(request.user.key) if request.user and request.user.has_token else None


class PageThrottle(_Throttle):
    """By address, since a browser without cookies is a new owner each time."""

    scope = "page"

    def get_cache_key(self, request, view) -> str | None:
        return None if request.user and request.user.has_token else self.key(self.get_ident(request))


class ReadThrottle(_Throttle):
    scope = "read"

    def get_cache_key(self, request, view) -> str:
        return self.key(self.get_ident(request))


class AlwaysJson(BaseContentNegotiation):
    """Answers are JSON, or the PNG that was asked for, whatever `Accept` says."""

    def select_parser(self, request, parsers):
        kind = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


def explain_error(error: Exception, context: dict):
    """Every refusal as JSON with `detail`, also those of Django's own form parser."""
    if isinstance(error, ObjectDoesNotExist):
        error = exceptions.NotFound("it was deleted meanwhile")
    if isinstance(error, SuspiciousOperation):
        error = exceptions.ParseError("the form has too many fields or files; send picture, background and options")
    return exception_handler(error, context)


def limit_request_size(get_response):
    """Refuse a body that is too large before anything reads it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.REQUEST_BYTES:
            limit = settings.REQUEST_BYTES // settings.MEGABYTE
            answer = JsonResponse({"detail": f"the request is too large; send at most {limit} MB"}, status=413)
            answer["Connection"] = "close"
            return answer
        return get_response(request)

    return middleware


def security_headers(get_response):
    """What a browser may do with any answer of the service."""

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = get_response(request)
        answer["Content-Security-Policy"] = CONTENT_POLICY
        answer["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        answer["Cross-Origin-Resource-Policy"] = "same-origin"
        return answer

    return middleware
