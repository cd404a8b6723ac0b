"""The simulated shop's contacts, as a mailing service would export them."""

import numpy as np
import pyarrow as pa

from flows.simulator.shop import ShopClock, SimulatedShop

SHARE_WITHOUT_ADDRESS = 0.03
SHARE_OPTED_OUT = 0.08
SHARE_FOR_ADVERTISING, SHARE_AGAINST_IT = 0.55, 0.25  # the others have not been asked
_DRAWS = 1  # apart from the shop's own random numbers, which stay the same


def simulate_contacts(shop: SimulatedShop) -> pa.Table:
    """Customers with an address: columns contact_id, customer_id, email, opted_out, opted_out_at,
    consents_to_advertising, created_at.

    Some opt out at some time after their first purchase. That is independent of leaving and predicts nothing.
    """
    profile, customers = shop.profile, shop.customers
    rng = np.random.default_rng([profile.seed, _DRAWS])
    n = len(customers)
    has_address = rng.random(n) >= SHARE_WITHOUT_ADDRESS
    opted_out = rng.random(n) < SHARE_OPTED_OUT
    clock = ShopClock.of(profile)
    created = np.floor(clock.calendar_days(customers["acquired_at_shop_day"].to_numpy()))
    opted_out_on = np.floor(created + rng.random(n) * (profile.days - created))
    answer = rng.random(n)
    first_day = np.datetime64(profile.first_day, "D")
    ids = customers["customer_id"]
    local_parts = np.char.lower(ids.to_numpy(zero_copy_only=False).astype(str))
    contacts = pa.table(
        {
            "contact_id": pa.array(np.arange(1, n + 1)),
            "customer_id": ids,
            "email": np.char.add(local_parts, "@example.com"),
            "opted_out": opted_out,
            "opted_out_at": pa.array(first_day + opted_out_on.astype("timedelta64[D]"), pa.date32(), mask=~opted_out),
            "consents_to_advertising": pa.array(
                np.where(answer < SHARE_FOR_ADVERTISING, "yes", "no"),
                mask=answer >= SHARE_FOR_ADVERTISING + SHARE_AGAINST_IT,
            ),
            "created_at": pa.array(first_day + created.astype("timedelta64[D]"), pa.date32()),
        }
    )
    return contacts.filter(pa.array(has_address))
