"""What the service remembers: who may call it, and the pictures it was given for a while."""

import hashlib
import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


class Client(models.Model):
    """A program that may send pictures. Its token is shown once; only the hash is kept."""

    name = models.CharField(max_length=80, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, name: str) -> str:
        """A new token for a client of that name, in place of the one it had."""
        token = secrets.token_urlsafe(32)
        cls.objects.update_or_create(name=name, defaults={"digest": cls.digest_of(token)})
        return token


def expiry():
    return timezone.now() + timedelta(seconds=settings.KEEP_SECONDS)


class Job(models.Model):
    """A picture on its way. Its random id is the only key to it; `owner` is who sent it, the one who may delete it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    class Mode(models.TextChoices):
        CUTOUT = "cutout"
        BLUR = "blur"
        COLOR = "color"
        PICTURE = "picture"

    class Edge(models.TextChoices):
        GUIDED = "guided"
        SOFT = "soft"
        ARGMAX = "argmax"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=80)
    mode = models.CharField(max_length=8, choices=Mode)
    edge = models.CharField(max_length=8, choices=Edge)
    color = models.CharField(max_length=7)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    error = models.CharField(max_length=200, blank=True)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(default=expiry)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True)  # the claim that may finish this job
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "created"]), models.Index(fields=["expires"])]


class Picture(models.Model):
    """The bytes of a job. They lie in the database, not in a folder: what no query finds, no path can reach."""

    class Role(models.TextChoices):
        SOURCE = "source"
        BACKGROUND = "background"
        RESULT = "result"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="pictures")
    role = models.CharField(max_length=10, choices=Role)
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "role"], name="one_picture_a_role")]
