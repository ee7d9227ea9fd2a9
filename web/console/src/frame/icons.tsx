// The icons of the rail, drawn for it: one line, one weight.
const paths = {
  overview: "M4 13h6V4H4zM14 20h6V4h-6zM4 20h6v-3H4z",
  members: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.7-3.6 3.7-5.5 7.5-5.5s6.8 1.9 7.5 5.5",
  audiences: "M9 15.500a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM15 20.500a6 6 0 1 0 0-12 6 6 0 0 0 0 12z",
  offers: "M4 8a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v2a2 2 0 0 0 0 4v2a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-2a2 2 0 0 0 0-4zM14 6v12",
  campaigns: "M4 12h4l3-7 3 14 3-7h3",
  messages: "M4 6h16v11H9l-5 4z",
  inbox: "M4 13h4l1.500 3h5L16 13h4M4 13l3-8h10l3 8v6H4z",
  spread: "M6 14.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM17 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM17 21a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.300 11l6.5-4M8.300 13l6.5 4",
  books: "M5 4h12a2 2 0 0 1 2 2v14H7a2 2 0 0 1-2-2zM5 16h14M9 8h6",
  payouts: "M3 7h18v10H3zM12 14.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM6 10v4M18 10v4",
  approvals: "M5 12.500l4.5 4.500L19 7",
  audit: "M6 3h9l4 4v14H6zM9 11h7M9 15h7",
  playbook: "M12 6c-2-1.5-5-2-8-1.500v13c3-.5 6 0 8 1.5 2-1.5 5-2 8-1.500v-13c-3-.5-6 0-8 1.500zM12 6v13",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM9 19.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  menu: "M4 7h16M4 12h16M4 17h16",
} as const;
export type IconName = keyof typeof paths;

export const Icon = ({ name, size = 18 }: { name: IconName; size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
);

export const Mark = ({ size = 26 }: { size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#2B7A69" />
    <path d="M9 8v16M14.7 8v16M20.3 8v16" stroke="#fff" strokeWidth="1.6" strokeLinecap="round" />
    <circle cx="22.5" cy="21.5" r="3" fill="#fff" />
  </svg>
);
