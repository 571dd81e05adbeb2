"""The API's four operations, the page, and the documentation."""

import re
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, OpenApiResponse, extend_schema
from rest_framework import exceptions, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from helpers.server import access, jobs
from helpers.server.models import Job, Picture
from helpers.server.serializers import JobSerializer, ProblemSerializer, UploadSerializer

RETRY_SECONDS = 5  # what a client is told to wait for when the queue is full
PICTURE_TYPES = {"contentType": "image/png, image/jpeg, image/webp"}
TOKEN = [{"tokenAuth": []}]
PNG = OpenApiResponse(bytes, "the picture on its new background")


def _problem(text: str) -> OpenApiResponse:
    return OpenApiResponse(ProblemSerializer, text)


RETRY_AFTER = OpenApiParameter("Retry-After", int, OpenApiParameter.HEADER, response=[429])
TOO_MANY = _problem("the queue is full, or you ask too often")
UNKNOWN = _problem("no such picture, or it has expired")


class Backgrounds(viewsets.GenericViewSet):
    """Pictures whose background is to be replaced."""

    serializer_class = JobSerializer
    lookup_value_converter = "uuid"
    authentication_classes = [access.ClientAuthentication, access.PageAuthentication]
    content_negotiation_class = access.AlwaysJson

    def get_queryset(self):
        return Job.objects.filter(expires__gt=timezone.now())

    def get_permissions(self):
        return [access.IsOwner()] if self.action in ("create", "destroy") else []

    def get_throttles(self):
        adding = self.action == "create"
        return [access.TokenThrottle(), access.PageThrottle()] if adding else [access.ReadThrottle()]

    @extend_schema(
        summary="Send a picture",
        description="Answers at once with a link to ask at, or with the PNG itself where the header `Prefer: wait` "
        "(or `wait=10`, in seconds) is given and the picture is done in time.",
        request={
            "multipart/form-data": OpenApiRequest(
                UploadSerializer, encoding={"picture": PICTURE_TYPES, "background": PICTURE_TYPES}
            )
        },
        auth=TOKEN,
        parameters=[
            OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="`wait` or `wait=SECONDS`"),
            OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[202], description="where to ask"),
            RETRY_AFTER,
        ],
        responses={
            (200, "image/png"): PNG,
            202: OpenApiResponse(JobSerializer, "accepted"),
            400: OpenApiResponse(dict, "what is wrong, by field"),
            401: _problem("no valid token"),
            403: _problem("a browser without the page's CSRF token"),
            404: _problem("deleted by its owner while this request waited for it"),
            413: _problem("the request is too large"),
            415: _problem("the request is no multipart form"),
            422: _problem("the picture could not be processed"),
            429: TOO_MANY,
        },
    )
    def create(self, request: Request) -> HttpResponse:
        try:
            jobs.check_room()  # before the work of checking the picture
            upload = UploadSerializer(data=request.data)
            upload.is_valid(raise_exception=True)
            job = jobs.submit(request.user.key, **upload.validated_data)
        except jobs.QueueFull as error:
            raise exceptions.Throttled(RETRY_SECONDS, "the queue is full") from error
        seconds = preferred_wait(request.headers.get("Prefer", ""))
        if seconds:
            job = jobs.wait(job, seconds)
            if job.state == Job.State.FAILED:
                return Response({"detail": job.error}, status.HTTP_422_UNPROCESSABLE_ENTITY)
            if job.state == Job.State.DONE:
                answer = png(job)
                answer["Preference-Applied"] = "wait"
                return answer
        body = JobSerializer(job).data
        return Response(body, status.HTTP_202_ACCEPTED, headers={"Location": body["url"]})

    @extend_schema(
        summary="Ask how a picture is doing",
        description="Whoever knows the address may ask; nobody can guess it.",
        auth=[],
        parameters=[RETRY_AFTER],
        responses={200: OpenApiResponse(JobSerializer, "how it is doing"), 404: UNKNOWN, 429: TOO_MANY},
    )
    def retrieve(self, request: Request, pk=None) -> Response:
        return Response(JobSerializer(self.get_object()).data)

    @extend_schema(
        summary="Get the result",
        description="Whoever knows the address may get it, until it expires.",
        auth=[],
        parameters=[RETRY_AFTER],
        responses={
            (200, "image/png"): PNG,
            404: UNKNOWN,
            409: _problem("not done yet, or it could not be done"),
            429: TOO_MANY,
        },
    )
    @action(detail=True)
    def result(self, request: Request, pk=None) -> HttpResponse:
        job = self.get_object()
        if job.state != Job.State.DONE:
            return Response({"detail": job.error or f"the picture is {job.state}"}, status.HTTP_409_CONFLICT)
        return png(job)

    @extend_schema(
        summary="Delete a picture and its result",
        description="Also while it waits or is worked on. Only the one who sent it may.",
        auth=TOKEN,
        parameters=[RETRY_AFTER],
        responses={
            204: OpenApiResponse(None, "deleted"),
            401: _problem("no valid token"),
            403: _problem("the picture is somebody else's"),
            404: UNKNOWN,
            429: TOO_MANY,
        },
    )
    def destroy(self, request: Request, pk=None) -> Response:
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return JsonResponse({"detail": "there is nothing at this address"}, status=404)


def preferred_wait(header: str) -> float:
    """Seconds of `Prefer: wait` or `Prefer: wait=10` (RFC 7240), at most `WAIT_SECONDS`; 0 without it.

    >>> preferred_wait("respond-async, wait=2"), preferred_wait("respond-async")
    (2, 0)
    """
    for preference in header.lower().split(","):
        found = re.fullmatch(r'wait(?:\s*=\s*"?(\d{1,9})"?)?', preference.split(";")[0].strip(), re.ASCII)
        if found:
            return min(int(found[1] or settings.WAIT_SECONDS), settings.WAIT_SECONDS)
    return 0


def png(job: Job) -> HttpResponse:
    data = bytes(job.pictures.get(role=Picture.Role.RESULT).data)
    return HttpResponse(
        data,
        content_type="image/png",
        headers={"Content-Disposition": 'inline; filename="background.png"', "Cache-Control": "private, no-store"},
    )


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    access.greet(request)
    return render(request, "server/page.html", {"keep_minutes": settings.KEEP_SECONDS // 60})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The schema as a page, without a script: what to send, what comes back, a line to try it with."""
    return render(request, "server/docs.html", {**_described(), "host": request.build_absolute_uri("/")[:-1]})


@cache
def _described() -> dict:
    schema = SchemaGenerator().get_schema(public=True)
    operations = [
        {"path": path, "method": method.upper(), **operation, "fields": _form_fields(schema, operation)}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return {"info": schema["info"], "operations": operations}


def _form_fields(schema: dict, operation: dict) -> dict:
    """Name → schema of the form's fields, with enumerations written out."""
    form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data")
    if form is None:
        return {}
    components = schema["components"]["schemas"]
    body = components[form["schema"]["$ref"].rpartition("/")[2]]
    fields = {}
    for name, field in body["properties"].items():
        references = [part["$ref"] for part in field.get("allOf", [field]) if "$ref" in part]
        choices = [choice for ref in references for choice in components[ref.rpartition("/")[2]]["enum"]]
        fields[name] = {**field, "choices": choices, "required": name in body.get("required", [])}
    return fields
