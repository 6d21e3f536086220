// How the devtools look, in their own shadow root. A page may set the custom properties on the element.

const LIGHT = `
  --card: #fff; --ink: #151922; --soft: #5d6573; --faint: #6d7583; --line: #e2e5ea; --send: #5f80d9; --hold: #d9dfe9;
  --refresh: #e8720c; --replay: #16a085; --failed: #d6336c; --on-fill: #fff;`
const DARK = `
  --card: #14181e; --ink: #e9ecf1; --soft: #9aa3b1; --faint: #8a93a1; --line: #252b34; --send: #6d8ee6; --hold: #2b333f;
  --refresh: #f78b2d; --replay: #2bb89a; --failed: #ec5f8f; --on-fill: #0d1014;`

export const STYLE: string = `
:host {
  ${LIGHT}
  color-scheme: light dark;
  --sans: 'Inter Variable', Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  display: block; color: var(--ink); font: 400 14px/1.45 var(--sans); text-align: left;
  -webkit-font-smoothing: antialiased;
}
@media (prefers-color-scheme: dark) { :host(:not([theme='light'])) { ${DARK} } }
:host([theme='dark']) { ${DARK} color-scheme: dark; }
:host([theme='light']) { color-scheme: light; }
:host([hidden]) { display: none; }
* { box-sizing: border-box; margin: 0; }
[hidden] { display: none !important; }

:host([floating]) { position: fixed; inset: auto 0 0; z-index: 2147483000; pointer-events: none; }
:host([floating]) .toggle, :host([floating]) .panel { pointer-events: auto; }
:host([floating]) .panel {
  max-height: min(70vh, 620px); overflow: auto; overscroll-behavior: contain; padding: 0 20px 16px;
  background: var(--card); border-top: 1px solid var(--line); box-shadow: 0 -8px 28px rgb(0 0 0 / 14%);
}
.toggle {
  margin: 0 0 max(12px, env(safe-area-inset-bottom)) 12px; height: 36px; padding: 0 14px; border-radius: 18px;
  box-shadow: 0 2px 10px rgb(0 0 0 / 18%);
}
.bar { display: flex; align-items: center; gap: 12px; padding: 10px 0 0; position: sticky; top: 0; z-index: 2; background: var(--card); }
.bar h2 { font-size: 14px; font-weight: 620; margin-right: auto; }

button {
  height: 32px; padding: 0 12px; border: 1px solid var(--line); border-radius: 7px; background: var(--card);
  color: inherit; font: inherit; font-weight: 530; white-space: nowrap; cursor: pointer;
}
button.quiet { border-color: transparent; background: none; color: var(--soft); }
button:disabled { opacity: 0.4; cursor: default; }
:focus-visible { outline: 2px solid var(--send); outline-offset: 1px; }

.timeline { position: relative; }
figcaption {
  display: flex; align-items: center; flex-wrap: wrap; gap: 8px 20px; padding: 9px 0; border-block: 1px solid var(--line);
  margin-bottom: 14px; font-size: 12.5px;
}
:host([floating]) figcaption { border-top: 0; }
.scene-title { font-weight: 560; margin-right: auto; }
.scene-nav { display: flex; align-items: center; color: var(--soft); font-variant-numeric: tabular-nums; }
.scene-nav button { height: 28px; min-width: 28px; padding: 0 7px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; list-style: none; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend li::before { content: ''; width: 14px; height: 8px; border-radius: 2px; background: var(--colour); }
.legend .send { --colour: var(--send); } .legend .hold { --colour: var(--hold); }
.legend .refresh { --colour: var(--refresh); } .legend .replay { --colour: var(--replay); }
.legend .failed { --colour: var(--failed); }

.canvas { position: relative; overflow: hidden; border-radius: 4px; touch-action: pan-y; }
svg { display: block; font: 12px var(--sans); }
.lane { fill: var(--ink); font-weight: 560; }
.lane tspan { fill: var(--faint); font-weight: 400; }
.grid { stroke: var(--line); }
.tick { fill: var(--faint); font-size: 11.5px; font-variant-numeric: tabular-nums; }
.rows { shape-rendering: crispEdges; }
.rows.send { fill: var(--send); } .rows.hold { fill: var(--hold); }
.rows.replay { fill: var(--replay); } .rows.failed { fill: var(--failed); }
.row { paint-order: stroke; stroke: var(--card); stroke-width: 4px; fill: var(--soft); }
.row tspan { fill: var(--faint); font-variant-numeric: tabular-nums; }
.veil { fill: var(--refresh); opacity: 0.08; }
.edge { stroke: var(--refresh); shape-rendering: crispEdges; }
.crowd { fill: #fff; font-size: 13px; font-weight: 560; }
.crowd.hold { fill: var(--soft); paint-order: stroke; stroke: var(--hold); stroke-width: 6px; }
.call rect { fill: var(--faint); }
.call.refresh rect { fill: var(--refresh); }
.call.bad rect { fill: var(--failed); }
.call.back-off rect { fill: none; stroke: var(--faint); stroke-dasharray: 4 3; }
.call text { font-weight: 600; }
.call tspan { font-weight: 400; font-variant-numeric: tabular-nums; }
.call .inside { fill: var(--on-fill); }
.call.back-off .inside, .call .beside { fill: var(--soft); }
.mark line { stroke: var(--ink); stroke-dasharray: 2 3; opacity: 0.45; }
.mark path, .mark text { fill: var(--ink); }
.mark.error path { fill: var(--failed); }
.mark.adopt path { fill: var(--send); }
.chosen { fill: none; stroke: var(--ink); stroke-width: 1.5; }

.ghost svg { opacity: 0.22; filter: grayscale(1); }
.ghost svg text, .ghost .scene-nav { visibility: hidden; }
.ghost .canvas::after {
  content: 'What happens is drawn here.'; position: absolute; inset: 8px 0 auto; text-align: center; color: var(--soft);
}

.tip {
  position: absolute; top: 0; left: 0; z-index: 1; max-width: 100%; padding: 7px 11px; border-radius: 7px;
  background: var(--ink); color: var(--card); font-size: 12px; font-variant-numeric: tabular-nums; white-space: pre-wrap;
  overflow-wrap: anywhere; pointer-events: none;
}
.tip :first-child { font-weight: 600; }

.log { border-top: 1px solid var(--line); margin-top: 8px; font-size: 12.5px; }
.log summary { padding: 8px 0; font-weight: 560; cursor: pointer; }
.log ol { max-height: 220px; overflow: auto; padding: 0; list-style: none; }
.log li { display: flex; gap: 12px; padding: 2px 0; overflow-wrap: anywhere; }
.log time { flex: 0 0 64px; color: var(--faint); text-align: right; font-variant-numeric: tabular-nums; }

@media (max-width: 1040px) { .legend { order: 3; width: 100%; } }
@media (max-width: 620px) { :host([floating]) .panel { padding-inline: 12px; } .log time { flex-basis: 52px; } }
`
