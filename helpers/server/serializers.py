"""What comes in and goes out, as the API's schema says it too."""

from django.urls import reverse
from rest_framework import serializers

from helpers.server import jobs, uploads
from helpers.server.models import Job


class PictureField(serializers.FileField):
    """A PNG, JPEG or WebP; its value is its bytes."""

    def to_internal_value(self, data) -> bytes:
        upload = super().to_internal_value(data)
        try:
            return uploads.read_upload(upload)
        except uploads.UploadError as error:
            raise serializers.ValidationError(str(error)) from error


class UploadSerializer(serializers.Serializer):
    picture = PictureField(help_text="PNG, JPEG or WebP, up to 12 MB and 25 megapixels")
    background = PictureField(required=False, help_text="a picture to put behind; `mode` then has no say")
    mode = serializers.ChoiceField(
        [Job.Mode.CUTOUT, Job.Mode.BLUR, Job.Mode.COLOR],
        default=Job.Mode.CUTOUT,
        help_text="transparent background, the picture's own blurred, or one colour",
    )
    edge = serializers.ChoiceField(
        Job.Edge.choices, default=Job.Edge.GUIDED, help_text="along the picture's edges, smooth, or hard"
    )
    color = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", default="#ffffff", help_text="for mode `color`: #rrggbb")

    def validate(self, attrs: dict) -> dict:
        if unknown := self.initial_data.keys() - self.fields.keys():
            known = ", ".join(self.fields)
            raise serializers.ValidationError(dict.fromkeys(unknown, [f"there is no such field; there are {known}"]))
        return attrs | {"mode": Job.Mode.PICTURE} if "background" in attrs else attrs


def forbid_other_fields(result: dict, **_) -> dict:
    """Hook of drf-spectacular: a form with unknown fields is refused, so the schema says so."""
    result["components"]["schemas"]["UploadRequest"]["additionalProperties"] = False
    return result


class JobSerializer(serializers.ModelSerializer):
    state = serializers.ChoiceField(Job.State.choices)
    ahead = serializers.SerializerMethodField(help_text="pictures that wait before this one")
    url = serializers.SerializerMethodField(help_text="where to ask again; DELETE removes all of it")
    result = serializers.SerializerMethodField(help_text="the PNG, once `state` is done")

    class Meta:
        model = Job
        fields = ["id", "state", "error", "mode", "edge", "ahead", "created", "expires", "url", "result"]
        read_only_fields = fields

    def get_ahead(self, job: Job) -> int:
        return jobs.ahead(job)

    def get_url(self, job: Job) -> str:
        return reverse("background-detail", args=[job.pk])

    def get_result(self, job: Job) -> str:
        return reverse("background-result", args=[job.pk])


class ProblemSerializer(serializers.Serializer):
    detail = serializers.CharField()
