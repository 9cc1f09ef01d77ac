/** Style of the documentation page, for light and dark screens. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 22rem 1fr; gap: 0 2rem; }
header { grid-column: 1 / -1; padding: 1rem 2rem; border-bottom: 1px solid var(--line); }
nav { padding: 1rem 0 1rem 2rem; font-size: .85rem; position: sticky; top: 0; height: 100vh; overflow: auto; box-sizing: border-box; }
nav ul { list-style: none; padding-left: .75rem; } nav > ul { padding: 0; } nav > ul > li { margin-bottom: .75rem; font-weight: 600; }
nav a { font-weight: 400; overflow-wrap: anywhere; }
main { padding: 0 2rem 4rem 0; min-width: 0; max-width: 60rem; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .25rem 1rem 1rem; margin: 1rem 0; }
h3 { font-size: 1rem; overflow-wrap: anywhere; } h4 { margin: .75rem 0 .25rem; font-size: .9rem; }
table { border-collapse: collapse; font-size: .9rem; } td { padding: .15rem 1rem .15rem 0; vertical-align: top; border-bottom: 1px solid var(--soft); }
.depth-1 { padding-left: 1.25rem; } .depth-2 { padding-left: 2.5rem; } .depth-3 { padding-left: 3.75rem; }
.method { display: inline-block; min-width: 4rem; font-size: .8rem; font-weight: 700; }
.who { font-size: .8rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; }
ul { padding-left: 1.25rem; margin: .25rem 0; } summary { cursor: pointer; }
@media (max-width: 60rem) { body { display: block; } nav { position: static; height: auto; padding: 1rem; } main { padding: 1rem; } }
`;
