"""One frozen object of settings. Precedence: argument > environment `SPROUT_…` > `sprout.toml` > default."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from directives import ThresholdPolicy
from sprout_like.carbon import SECONDS_PER_YEAR, Embodied
from sprout_like.errors import SettingError
from sprout_like.meters.cpu_model import DRAM_WATTS_PER_GIB, WATTS_PER_BUSY_CORE

__all__ = ["Settings"]

_PREFIX = "SPROUT_"
_FILE = "sprout.toml"
_WITH_URL = ("grid", "judge_url", "engine_url")
_USER_INFO = re.compile(r"//[^/]*@")


class Settings(BaseSettings):
    """Every setting, its unit and its default. Build it with `Settings.load`.

    Unknown keys are errors wherever they come from; the ledger's URL, which may hold a password, is masked in reprs.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, toml_file=_FILE, extra="forbid", frozen=True)

    zone: str = Field(
        "GB",
        description="Zone whose intensity is used: an Electricity Maps key such as GB, a cloud region such as "
        "aws:eu-west-1, or LATITUDE,LONGITUDE.",
    )
    grid: str = Field(
        "uk",
        description="Grid source: uk, energy-charts, electricity-maps, watttime, entsoe, eia, yearly, "
        "static:G_PER_KWH, trace:FILE, or several, separated by commas, the first that answers.",
    )
    grid_mix: bool = Field(False, description="Let the sources of `grid` differ in kind or factors.")
    grid_cache: Literal["off"] | Path | None = Field(
        None, description="Folder where intensities outlive a restart; None for the user's cache folder; or off."
    )
    electricity_maps_key: SecretStr | None = Field(None, description="Key of Electricity Maps.")
    watttime_user: SecretStr | None = Field(None, description="User name at WattTime.")
    watttime_password: SecretStr | None = Field(None, description="Password at WattTime.")
    entsoe_token: SecretStr | None = Field(None, description="Token of the ENTSO-E Transparency Platform.")
    eia_key: SecretStr | None = Field(None, description="Key of the U.S. Energy Information Administration.")
    grid_wait_s: float = Field(2.0, ge=0, description="How long construction waits for the first reading, in s.")
    intensity_hold_s: float = Field(3 * 3600.0, ge=0, description="How long a past reading is used as stale, in s.")

    policy: str = Field("contextual", description="contextual, threshold, or a directive's name to pin it.")
    thresholds: tuple[tuple[float, str], ...] = Field(
        ThresholdPolicy().steps, description="Steps of the threshold policy: (g/kWh, directive), rising."
    )
    control_share: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.05, description="Share of requests always served full, against which savings are measured."
    )
    explore_share: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.02, description="Share of requests on which the contextual policy tries directives without evidence."
    )
    floor: Annotated[float | None, Field(ge=0, le=1)] = Field(
        0.95, description="Least quality that the contextual policy plans for at any time, as a share of full's."
    )
    mean_floor: Annotated[float | None, Field(ge=0, le=1)] = Field(
        None, description="Least quality over time, as a share of full's; None for halfway between floor and 1."
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        0.99, description="Probability with which each floor is to hold, given what was judged."
    )
    carbon_budget_g_per_day: float | None = Field(None, gt=0, description="Most carbon of all requests, in g per day.")
    latency_limit_s: dict[str, float] = Field(
        default_factory=dict, description="Longest mean time in the engine, in s, by task; the empty task for all."
    )
    carbon_price_per_kg: float | None = Field(None, gt=0, description="Price of 1 kg CO2e; needs answer_value.")
    answer_value: float | None = Field(
        None, gt=0, description="Value of one answer as good as full's, in the currency of carbon_price_per_kg."
    )
    pinned: dict[str, str] = Field(default_factory=dict, description="The one directive a task gets, by task.")
    forbidden: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Directives a task never gets, by task; the empty task for all."
    )
    classes: Path | None = Field(
        None, description="File of `sprout-like classes train`: infers the task of requests without a tag."
    )
    catalogue: Path | None = Field(None, description="TOML file of directives; None for the built-in ones.")

    judge: str | None = Field(
        None,
        description="Judge: endpoint:MODEL, local:FOLDER, exact, numeric, contains, or FILE.py:FUNCTION.",
    )
    judge_url: str | None = Field(None, description="Base URL of the judge's OpenAI-compatible endpoint, with /v1.")
    judge_key: SecretStr | None = Field(None, description="Key of the judge's endpoint.")
    judge_j_per_token: float | None = Field(
        None, gt=0, description="Energy per token of the judge's endpoint, in J; None leaves it unknown."
    )
    sample_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="Share of requests whose prompt is kept for judging. It stores text, hence it is 0."
    )
    sample_keep_days: float = Field(7.0, gt=0, description="How long a kept prompt stays, in days.")

    engine_url: str | None = Field(
        None, description="Base URL of the OpenAI-compatible server that `jobs worker --engine openai` asks, with /v1."
    )
    engine_key: SecretStr | None = Field(None, description="Key of that server.")
    engine_j_per_token: float | None = Field(
        None, gt=0, description="Energy per new token of that server, in J; None leaves it unknown if it is not local."
    )
    ray_address: str | None = Field(
        None, description="Ray cluster of `jobs worker --engine ray`; None for this machine's, local to start one."
    )
    ray_actors: int | None = Field(
        None, ge=1, description="Model actors there; None for one on each GPU of the cluster, or 2 where it has none."
    )
    job_margin: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="Time kept free before a job's deadline, as a share of the time it still needs."
    )
    job_lease_s: float = Field(120.0, gt=0, description="How long a worker keeps items without a heart-beat, in s.")
    job_attempts: int = Field(3, ge=1, description="How often an item of a job is tried before it is set aside.")
    job_keep_days: float = Field(
        30.0, gt=0, description="How long texts of a job that has ended stay in the ledger, in days."
    )

    variant_headroom_gib: float = Field(
        1.0, ge=0, description="Memory in GiB that loading a variant must leave free, on its device and on the host."
    )
    answer_cache: Literal["off", "memory", "ledger"] = Field(
        "off", description="Where answers are kept to be given again. It stores their tokens, hence it is off."
    )
    answer_cache_entries: int = Field(1000, ge=1, description="Most answers kept; the longest unused goes first.")
    answer_cache_mib: float = Field(64.0, gt=0, description="Most memory of kept answers, in MiB.")
    prefix_cache_mib: float = Field(
        512.0, ge=0, description="Most memory of kept prompt beginnings, in MiB, on the model's device; 0 keeps none."
    )

    ledger: SecretStr | None = Field(
        None, description="Database URL or SQLite file; None for ledger.sqlite in the user's data folder."
    )
    spool: Path | None = Field(None, description="Local file for rows the database cannot take; None for the default.")

    meter: str = Field("auto", description="auto, nvml, rapl, cpu, none, or a sum such as nvml+cpu.")
    cpu_watts_per_core: float = Field(
        WATTS_PER_BUSY_CORE,
        gt=0,
        description="W per busy core in the CPU estimate. Set it to TDP / cores of your CPU.",
    )
    dram_watts_per_gib: float = Field(
        DRAM_WATTS_PER_GIB, ge=0, description="Power model of the memory estimate: W per GiB resident."
    )
    account_period_s: float = Field(300.0, gt=0, description="Length of an energy account period, in s.")

    pue: float = Field(1.0, ge=1, le=10, description="Power usage effectiveness of the site: facility over IT energy.")
    embodied_total_g: float | None = Field(
        None, gt=0, description="g CO2e of making the hardware; None leaves the embodied part unknown."
    )
    embodied_lifetime_years: float = Field(5.0, gt=0, description="Service life of the hardware, in years.")
    embodied_share: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="Share of the hardware that serves these requests."
    )

    market_g_per_kwh: float | None = Field(
        None, ge=0, description="Factor of your electricity contract, in g CO2e per kWh; reports need market_source."
    )
    market_source: str | None = Field(None, description="Who states that factor, e.g. the supplier and the year.")
    wue_l_per_kwh: float | None = Field(
        None, ge=0, description="Water per kWh of IT equipment, in l; reports need wue_source."
    )
    wue_source: str | None = Field(None, description="Who states that water usage effectiveness.")
    price_per_kwh: float | None = Field(None, ge=0, description="Price of 1 kWh of electricity; needs currency.")
    currency: str | None = Field(None, description="Currency of price_per_kwh, as reports are to write it.")

    metrics_port: Annotated[int | None, Field(ge=0, le=65535)] = Field(
        None, description="Loopback port where Prometheus finds /metrics; 0 for any free one; None for none."
    )

    tags: dict[str, str] = Field(default_factory=dict, description="Tags of every row, e.g. team or service.")

    @field_validator("zone", "grid", "policy", "meter")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("is empty")
        return value.strip()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - part of the signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - part of the signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The precedence, on one line."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Resolve all sources; arguments that are None count as not given.

        Raises:
            SettingError: a key is unknown or a value does not fit; the message names the setting, where it was set
                and what fits.
        """
        arguments = {name: value for name, value in given.items() if value is not None}
        unknown = next((n for n in os.environ if n.upper().startswith(_PREFIX) and not _is_field(n)), None)
        if unknown is not None:
            raise _unknown(unknown[len(_PREFIX) :].lower(), f"the environment ({unknown})")
        try:
            return cls(**arguments)
        except ValidationError as exc:
            raise _first_error(exc, arguments) from None  # its text would quote values, which may be secret
        except SettingsError as exc:  # a table or a list in the environment; its text names the field alone
            raise _not_json(str(exc)) from None
        except (ValueError, OSError) as exc:
            raise SettingError(_FILE, str(exc), "Correct the file") from None

    def replaced(self, **given: Any) -> Settings:
        """The same settings with others for those given; None counts as not given.

        Raises:
            SettingError: as in `load`.
        """
        changed = {name: value for name, value in given.items() if value is not None}
        return Settings.load(**{**self.model_dump(), **changed}) if changed else self

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """As it is, without the user and password that a grid source's URL may hold."""
        for name, value in super().__repr_args__():
            yield name, _USER_INFO.sub("//…@", value) if name in _WITH_URL and value else value

    @property
    def ledger_spec(self) -> str | None:
        """The ledger's URL or path in the clear, for the ledger alone."""
        return None if self.ledger is None else self.ledger.get_secret_value()

    @property
    def embodied(self) -> Embodied | None:
        """The hardware's embodied emissions; None where unknown."""
        if self.embodied_total_g is None:
            return None
        lifetime_s = self.embodied_lifetime_years * SECONDS_PER_YEAR
        return Embodied(total_g=self.embodied_total_g, lifetime_s=lifetime_s, share=self.embodied_share)


def _is_field(variable: str) -> bool:
    return variable[len(_PREFIX) :].lower() in Settings.model_fields


def _unknown(name: str, where: str) -> SettingError:
    near = get_close_matches(name, Settings.model_fields, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known settings: {', '.join(Settings.model_fields)}"
    return SettingError(name, f"there is no such setting, found in {where}", hint)


def _not_json(told: str) -> SettingError:
    name = next(name for name in Settings.model_fields if f'"{name}"' in told)
    problem = f"it is not JSON, in the environment ({_PREFIX}{name.upper()})"
    return SettingError(name, problem, f"Write it as JSON. It is: {Settings.model_fields[name].description}")


def _first_error(exc: ValidationError, arguments: Mapping[str, Any]) -> SettingError:
    error = exc.errors(include_url=False, include_input=False)[0]
    name = str(error["loc"][0]) if error["loc"] else "settings"
    where = _where(name, arguments)
    if error["type"] == "extra_forbidden":
        return _unknown(name, where)
    problem = f"{error['msg'].removeprefix('Value error, ')}, in {where}"
    description = Settings.model_fields[name].description if name in Settings.model_fields else None
    return SettingError(name, problem, f"It is: {description}" if description else "Correct it")


def _where(name: str, arguments: Mapping[str, Any]) -> str:
    if name in arguments:
        return "the arguments"
    variable = f"{_PREFIX}{name.upper()}"
    return f"the environment ({variable})" if variable in map(str.upper, os.environ) else str(Path(_FILE).absolute())
