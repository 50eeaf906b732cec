"""Codes of exports and calls: E43x and W406 while compiling, E64x while running."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E430",
        "unknown or read-only entity",
        """
An export names an entity that the connector does not have, or that the provider does not allow to write.

```yaml
- export: {connection: stripe_main, entity: custmers, …}
```

**Fix:** Correct the name; `weir catalog --writes` lists the entities that can be written.
""",
    ),
    Code(
        "E431",
        "unsupported action",
        """
The provider has no request for this action: prices cannot be deleted, events cannot be created.

```yaml
- export: {entity: prices, action: delete, …}
```

**Fix:** Use another `action` or `on_missing`; the hint lists those that the entity supports.
""",
    ),
    Code(
        "E432",
        "unknown parameter",
        """
The provider's request does not have the parameter.

```yaml
map: {"adress[city]": city}
```

**Fix:** Correct the name. Use brackets for parts of an object (`address[city]`), for keys of a map (`metadata[tier]`)
and for positions in a list (`items[0][price]`).
""",
    ),
    Code(
        "E433",
        "incompatible parameter type",
        """
The column's type cannot be converted to the parameter's type; or the parameter is an object, and the mapping must name
one of its parts; or an amount of money is text or a float, which cannot represent it exactly.

```yaml
map: {unit_amount: price_text}
```

**Fix:** Convert it in the SQL box or in an `expr`. Money is an integer in minor units (cents), or a decimal in major
units (12.50) with `currency` mapped as well.
""",
    ),
    Code(
        "E434",
        "required parameter without a value",
        """
Creating the object, or calling the function, requires this parameter.

```yaml
- export: {entity: prices, match: {lookup_key: key}, map: {unit_amount: amount}}   # no currency
```

**Fix:** Map it, or use `action: update` if the step never creates objects.
""",
    ),
    Code(
        "E435",
        "parameter cannot be compared",
        """
An update sends only values that differ. Objects do not return this parameter, so its value cannot be compared and every
run would send it.

**Fix:** Remove it from the export, or send it with a `call`.
""",
    ),
    Code(
        "E436",
        "match cannot find objects",
        """
`match` pairs rows with existing objects. It must use a value that objects return, and that an object created by this
step returns as well: otherwise every run would create the object again.

```yaml
match: {id: customer_number}   # the provider assigns the ids of customers
```

**Fix:** Match by `metadata[…]`, by `lookup_key` where the entity has one, or by `id` where the id can be set or the
step never creates objects.
""",
    ),
    Code(
        "E437",
        "write not granted by the connection",
        """
Every write must be granted by the connection's definition: which entities, whether money may move, and whether live
mode is included.

```yaml
grants: {write: [customers], moves_money: false, live: false}
```

**Fix:** Extend `grants` in the connection if the write is intended. The line shows reviewers what it permits.
""",
    ),
    Code(
        "E438",
        "invalid reference to a written object",
        """
`ref` names an earlier export step of the same interface that matches by one column. The value is the id of the object
that this step wrote.

```yaml
map: {product: {ref: products, from: sku}}
```

**Fix:** Name such a step, or join the id in the SQL box.
""",
    ),
    Code(
        "E439",
        "unknown function",
        """
A call names a function that the connector does not have.

```yaml
- call: {connection: stripe_main, function: invoices.finalise, …}
```

**Fix:** Correct the name; `weir catalog --writes` lists the functions.
""",
    ),
    Code(
        "E440",
        "invalid value for a parameter",
        """
A constant is not one of the values that the parameter accepts, is too long, or adds more keys than a map may have.

```yaml
map: {tax_exempt: {default: yes}}
```

**Fix:** Use one of the values in the hint.
""",
    ),
    Code(
        "E441",
        "write to connected accounts",
        """
A connection that reads connected accounts cannot be written to: nothing assigns a row to an account.

**Fix:** Use a separate connection, without `accounts`, for exports.
""",
    ),
    Code(
        "E442",
        "function returns no rows",
        """
The function does not return objects of a table, so its result cannot be imported.

**Fix:** Remove `into`.
""",
    ),
    Code(
        "W406",
        "parameter is sent only on creation",
        """
Objects do not return the parameter's value. It is sent when an object is created; later changes cannot be detected and
are not sent.

**Fix:** None if this is intended. To send it in every run, use a `call`.
""",
    ),
    Code(
        "E640",
        "outdated plan",
        """
`weir run --plan FILE` writes exactly what was planned and reviewed, or nothing. Since the plan was made, objects at the
provider, rows of the Schema or definitions have changed: the message names them.

**Fix:** Run `weir plan --live --out FILE` again, and review the new plan.
""",
    ),
    Code(
        "E641",
        "write limit exceeded",
        """
A step would write or retire more objects than its `caps` allow. To retire an object means to delete, archive or cancel
it because its row is gone. The step stopped before its first write. Without `caps.max_deletes`, the limit is 20
objects or a tenth of the objects that the step manages, whichever is more.

```yaml
caps: {max_writes: 500, max_deletes: 0}
```

**Fix:** Check `weir plan --live`. Raise the cap if all of the writes are intended.
""",
    ),
    Code(
        "E642",
        "rows could not be written",
        """
Some rows of an export or a call were rejected by Weir or by the provider, or their outcome is unknown. The other rows
were written.

```console
$ weir query stripe_main "SELECT * FROM weir.outcomes WHERE _status NOT IN ('done', 'unchanged')"
```

**Fix:** Check the reason of each row and run again: written rows are not sent again, and unknown outcomes are resolved
first.
""",
    ),
)
