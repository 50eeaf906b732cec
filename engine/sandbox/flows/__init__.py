"""What happens in a subscription business, and what each happening leaves in the store.

The seeds and the API's verbs use the same functions, so seeded and later objects relate in the same way.
"""
