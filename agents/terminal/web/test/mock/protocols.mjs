/** The tasks and protocols of the lab that is made up. */

export const PROTOCOL = "/lab/protocols/water_to_choice.star";

export function protocols() {
  return [
    {
      path: PROTOCOL,
      file: "water_to_choice.star",
      name: "water_to_choice",
      doc: "From free water to two choices.",
      problem: null,
      kept: null,
      steps: [
        {
          name: "free_water",
          task: "../tasks/free_water.star",
          path: "/lab/tasks/free_water.star",
          parameters: {},
          graduation: "after 50 trials",
          rule: { trials: { count: 50 } },
          by_form: true,
        },
        {
          name: "short_hold",
          task: "../tasks/cued_choice.star",
          path: "/lab/tasks/cued_choice.star",
          parameters: { reward: "6 uL" },
          graduation: "when `outcome` is correct in 80 % of the last 100 trials",
          rule: { accuracy: { column: "outcome", of: "correct", at_least: 0.8, window: 100 } },
          by_form: true,
        },
        {
          name: "two_choice",
          task: "../tasks/two_choice.star",
          path: "/lab/tasks/two_choice.star",
          parameters: {},
          graduation: "by hand",
          rule: null,
          by_form: true,
        },
      ],
    },
  ];
}

export function tasks() {
  return [
    ["cued_choice", "Cued choice: poke the center, then the side whose light comes on."],
    ["free_water", "Free water: each poke gives a drop."],
    ["two_choice", "Two choices: the side is learnt from what it gives."],
    ["free_water", "Free water of our own.", "mine/free_water.star"],
  ].map(([name, doc, file = `${name}.star`]) => ({
    path: `/lab/tasks/${file}`,
    file,
    name,
    doc,
    problem: null,
  }));
}
