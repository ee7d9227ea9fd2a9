// Words in English of what is said by which channel and what it costs, and of what passes from one to another: posts, links, posters, hand-overs, partners, lists.
import type { Reach } from "./zh";

export const reach: Reach = {
  by_channel: {
    ways: "Said otherwise by",
    add_sms: "Add a text for SMS",
    no_sms: "Without one a short message says the text above.",
    sms_say: "It has to be one of the approved templates, to the letter; the words of the way out may be left out. What no template says is not sent.",
    sms_parts: "{{signs}} signs, about {{n}} parts; the signature and what variables fill in come on top",
    add: "Add a template for {{channel}}",
    template: "Id of the template",
    template_say: "As WeChat's console shows it.",
    page: "Leads to",
    page_say: "An https address, or APPID/PAGE of a mini program. May be left empty.",
    page_say_mini: "A page of the mini program. May be left empty.",
    account: "By which app",
    account_say: "Its name in the file of channels; {{account}}, where it says nothing.",
    allows: "What allows it",
    allows_say: "Without it nothing is sent, and it goes by the next channel.",
    field_name: "Name of a field: thing1",
    add_field: "Add the field",
    drop_field: "Remove the field {{field}}",
    drop: "Remove what {{channel}} says",
    drop_short: "Remove",
  },
  costs: {
    title: "What it costs",
    budget: "Coupons and points cost at most {{cost}} of a budget of {{budget}}",
    none: "No message that costs something yet.",
    taken: "Taken",
    parts: "Billed as",
    parts_n: "Billed as {{n}}",
    cost: "Cost",
    arrived: "Arrived",
  },
};
