"""What the customers of the store may want."""

from sca_envs.core.wishes import WishBook, Wordings
from sca_envs.domains.tau_retail.wishes import conditions, items, orders, questions, refusals
from sca_envs.domains.tau_retail.wishes.pieces import identify

WISHES = WishBook(
    wishes={
        orders.cancel_order: 2,
        orders.change_payment: 2,
        orders.change_shipping_address: 2,
        orders.send_home: 0.5,
        orders.change_default_address: 1,
        orders.copy_address: 0.5,
        items.return_items: 3,
        items.modify_items: 3,
        items.exchange_items: 3,
        conditions.cancel_or_return: 0.7,
        conditions.cancel_if_expensive: 0.7,
        questions.ask_tracking_number: 0.7,
        questions.ask_amount: 0.7,
        questions.ask_about_order: 0.5,
        questions.ask_price_of_item: 0.5,
        questions.compare_orders: 0.5,
        questions.ask_orders_in_status: 0.7,
        questions.ask_profile: 0.5,
        questions.ask_product: 1.4,
        questions.ask_price_now: 0.5,
        refusals.cancel_shipped: 0.5,
        refusals.redirect_shipped: 0.5,
        refusals.pay_with_short_card: 0.5,
        refusals.refund_elsewhere: 0.5,
        refusals.exchange_for_sold_out: 0.5,
        refusals.touch_another_account: 0.5,
    },
    identify=identify,
    wordings=Wordings.read("sca_envs.domains.tau_retail"),
    subject_parameter="order_id",
    id_pattern=r"#W\d{7}|\b(?:paypal|credit_card|gift_card)_\d{7}\b|\b\d{10}\b",
)
"""The wishes, and how often each is drawn, relative to the others."""
