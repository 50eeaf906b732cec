"""How many decimals an amount of a currency has where it comes in the currency's smallest unit.

These are Stripe's (docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases"), which are not always
those of ISO 4217. The króna and the Uganda shilling have none, but are counted in hundredths all the same, always 00.
The ariary is counted whole, the dinars and the rial of three decimals in thousandths. The forint and the Taiwan dollar
are whole in payouts only, and counted in hundredths there, too. All others that Stripe lists, or has listed, have two.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NONE: Final = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE: Final = "bhd jod kwd omr tnd"
_TWO: Final = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc "
    "cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd kes kgs "
    "khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mro mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab "
    "pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sll sos srd std szl thb tjs top try ttd twd tzs "
    "uah ugx usd uyu uzs wst xcd xcg yer zar zmw"
)

DECIMALS: Final[Mapping[str, int]] = MappingProxyType(
    {name: count for names, count in ((_TWO, 2), (_NONE, 0), (_THREE, 3)) for name in names.split()}
)
"""By currency, in lower case. What is missing here is unknown: nobody may guess how many decimals it has."""
