<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>About</name>
    <message>
        <source>About Attune</source>
        <translation>关于 Attune</translation>
    </message>
    <message>
        <source>Version {version}</source>
        <translation>版本 {version}</translation>
    </message>
    <message>
        <source>An image editor with sliders for meaning: point at a subject and change its age, its smile or its size, while everything else in the picture stays. Everything runs on this computer; no picture leaves it.</source>
        <translation>一款用滑块调整画面含义的图像编辑器：指向一个主体，改变其年龄、笑容或大小，画面其余部分保持不变。一切都在本机运行，图片不会离开这台电脑。</translation>
    </message>
    <message>
        <source>Free software under the MIT licence. Built with Qt, PyTorch and Diffusers.</source>
        <translation>遵循 MIT 许可证的自由软件。基于 Qt、PyTorch 和 Diffusers 构建。</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>Actions</name>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Image</source>
        <translation>图像(&amp;I)</translation>
    </message>
    <message>
        <source>&amp;Layer</source>
        <translation>图层(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Select</source>
        <translation>选择(&amp;S)</translation>
    </message>
    <message>
        <source>F&amp;ilter</source>
        <translation>滤镜(&amp;I)</translation>
    </message>
    <message>
        <source>&amp;Generate</source>
        <translation>生成(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Tools</source>
        <translation>工具(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Window</source>
        <translation>窗口(&amp;W)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>Cu&amp;t</source>
        <translation>剪切(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>拷贝(&amp;C)</translation>
    </message>
    <message>
        <source>Copy &amp;merged</source>
        <translation>合并拷贝(&amp;M)</translation>
    </message>
    <message>
        <source>All that shows where something is selected.</source>
        <translation>选区内所有可见的内容。</translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation>粘贴(&amp;P)</translation>
    </message>
    <message>
        <source>Paste as &amp;new picture</source>
        <translation>粘贴为新图片(&amp;N)</translation>
    </message>
    <message>
        <source>C&amp;lear or delete layer</source>
        <translation>清除或删除图层(&amp;L)</translation>
    </message>
    <message>
        <source>Fill with the &amp;foreground colour</source>
        <translation>用前景色填充(&amp;F)</translation>
    </message>
    <message>
        <source>Fill with the &amp;background colour</source>
        <translation>用背景色填充(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Settings…</source>
        <translation>设置(&amp;S)…</translation>
    </message>
    <message>
        <source>&amp;New from prompt…</source>
        <translation>用提示词新建(&amp;N)…</translation>
    </message>
    <message>
        <source>New can&amp;vas…</source>
        <translation>新建画布(&amp;V)…</translation>
    </message>
    <message>
        <source>&amp;Open…</source>
        <translation>打开(&amp;O)…</translation>
    </message>
    <message>
        <source>Open as &amp;layer…</source>
        <translation>作为图层打开(&amp;L)…</translation>
    </message>
    <message>
        <source>Open sample &amp;picture</source>
        <translation>打开示例图片(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Save project</source>
        <translation>保存工程(&amp;S)</translation>
    </message>
    <message>
        <source>Save project &amp;as…</source>
        <translation>工程另存为(&amp;A)…</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>导出为(&amp;E)…</translation>
    </message>
    <message>
        <source>Export a&amp;gain</source>
        <translation>再次导出(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Batch…</source>
        <translation>批处理(&amp;B)…</translation>
    </message>
    <message>
        <source>Edit a whole folder in the same way</source>
        <translation>以同样方式编辑整个文件夹</translation>
    </message>
    <message>
        <source>Save what was done as a &amp;recipe…</source>
        <translation>将所做的保存为配方(&amp;R)…</translation>
    </message>
    <message>
        <source>Appl&amp;y recipe…</source>
        <translation>应用配方(&amp;Y)…</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>关闭(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>退出(&amp;Q)</translation>
    </message>
    <message>
        <source>As a layer that stays editable; a selection becomes its mask</source>
        <translation>作为可继续编辑的调整图层；选区会成为它的蒙版</translation>
    </message>
    <message>
        <source>&amp;Levels</source>
        <translation>色阶(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Curves</source>
        <translation>曲线(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Brightness and contrast</source>
        <translation>亮度/对比度(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Hue, saturation, lightness</source>
        <translation>色相/饱和度/明度(&amp;H)</translation>
    </message>
    <message>
        <source>&amp;White balance</source>
        <translation>白平衡(&amp;W)</translation>
    </message>
    <message>
        <source>Blac&amp;k and white</source>
        <translation>黑白(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Invert</source>
        <translation>反相(&amp;I)</translation>
    </message>
    <message>
        <source>&amp;Posterise</source>
        <translation>色调分离(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Gaussian blur</source>
        <translation>高斯模糊(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Sharpen</source>
        <translation>锐化(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Variations</source>
        <translation>变体(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Reset sliders</source>
        <translation>复位滑块(&amp;R)</translation>
    </message>
    <message>
        <source>Re&amp;fine</source>
        <translation>细化(&amp;F)</translation>
    </message>
    <message>
        <source>Make the picture again with every chosen subject in it</source>
        <translation>重新生成图片，使选中的主体全部出现</translation>
    </message>
    <message>
        <source>S&amp;uggest subjects</source>
        <translation>推荐主体(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Compare methods and seeds…</source>
        <translation>比较方法和种子(&amp;C)…</translation>
    </message>
    <message>
        <source>C&amp;hoose the refinement step…</source>
        <translation>选择细化步骤(&amp;H)…</translation>
    </message>
    <message>
        <source>I&amp;nsert into the picture…</source>
        <translation>插入到图片(&amp;N)…</translation>
    </message>
    <message>
        <source>Replace, add, remove or change what two sentences tell apart</source>
        <translation>按两句话的差别替换、添加、移除或更改</translation>
    </message>
    <message>
        <source>Trans&amp;late the picture…</source>
        <translation>转绘图片(&amp;L)…</translation>
    </message>
    <message>
        <source>The same structure from a new text</source>
        <translation>结构不变，按新文字重绘</translation>
    </message>
    <message>
        <source>Re&amp;draw…</source>
        <translation>重绘(&amp;D)…</translation>
    </message>
    <message>
        <source>Fill from a &amp;prompt…</source>
        <translation>按提示词填充(&amp;P)…</translation>
    </message>
    <message>
        <source>Enlar&amp;ge…</source>
        <translation>放大(&amp;G)…</translation>
    </message>
    <message>
        <source>The picture in more pixels, with details that the model adds</source>
        <translation>以更多像素呈现图片，并由模型添加细节</translation>
    </message>
    <message>
        <source>&amp;Teach an attribute…</source>
        <translation>训练新属性(&amp;T)…</translation>
    </message>
    <message>
        <source>Make a slider of your own from a few words</source>
        <translation>用几个词做出自己的滑块</translation>
    </message>
    <message>
        <source>&amp;Attributes…</source>
        <translation>属性(&amp;A)…</translation>
    </message>
    <message>
        <source>Look at the attributes there are, bring some in, hand some on</source>
        <translation>查看已有属性，导入或分享属性</translation>
    </message>
    <message>
        <source>Teach a c&amp;oncept…</source>
        <translation>训练新概念(&amp;O)…</translation>
    </message>
    <message>
        <source>Learn a word for what a few photos show</source>
        <translation>为几张照片中的内容学一个词</translation>
    </message>
    <message>
        <source>&amp;Import concepts…</source>
        <translation>导入概念(&amp;I)…</translation>
    </message>
    <message>
        <source>Files of this or another program</source>
        <translation>本程序或其他程序的文件</translation>
    </message>
    <message>
        <source>&amp;Stop all jobs</source>
        <translation>停止所有任务(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Models…</source>
        <translation>模型(&amp;M)…</translation>
    </message>
    <message>
        <source>&amp;Command palette…</source>
        <translation>命令面板(&amp;C)…</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts</source>
        <translation>键盘快捷键(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;About Attune</source>
        <translation>关于 Attune(&amp;A)</translation>
    </message>
    <message>
        <source>How this picture was &amp;made</source>
        <translation>图片的制作方式(&amp;M)</translation>
    </message>
    <message>
        <source>Picture &amp;size…</source>
        <translation>图像大小(&amp;S)…</translation>
    </message>
    <message>
        <source>Can&amp;vas size…</source>
        <translation>画布大小(&amp;V)…</translation>
    </message>
    <message>
        <source>&amp;Crop to the selection</source>
        <translation>裁剪到选区(&amp;C)</translation>
    </message>
    <message>
        <source>Tr&amp;im to what shows</source>
        <translation>裁切透明边缘(&amp;I)</translation>
    </message>
    <message>
        <source>Show &amp;all of every layer</source>
        <translation>显示全部图层内容(&amp;A)</translation>
    </message>
    <message>
        <source>Rotate 90° &amp;clockwise</source>
        <translation>顺时针旋转 90°(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Rotate and flip</source>
        <translation>旋转与翻转(&amp;R)</translation>
    </message>
    <message>
        <source>Rotate 90° counter-clock&amp;wise</source>
        <translation>逆时针旋转 90°(&amp;W)</translation>
    </message>
    <message>
        <source>Rotate 1&amp;80°</source>
        <translation>旋转 180°(&amp;8)</translation>
    </message>
    <message>
        <source>Rotate by an &amp;angle…</source>
        <translation>任意角度旋转(&amp;A)…</translation>
    </message>
    <message>
        <source>Flip left to &amp;right</source>
        <translation>水平翻转(&amp;R)</translation>
    </message>
    <message>
        <source>Flip top to &amp;bottom</source>
        <translation>垂直翻转(&amp;B)</translation>
    </message>
    <message>
        <source>Convert to &amp;sRGB</source>
        <translation>转换为 sRGB(&amp;S)</translation>
    </message>
    <message>
        <source>Conver&amp;t to profile</source>
        <translation>转换为配置文件(&amp;T)</translation>
    </message>
    <message>
        <source>Convert to &amp;Display P3</source>
        <translation>转换为 Display P3(&amp;D)</translation>
    </message>
    <message>
        <source>Convert to &amp;Adobe RGB</source>
        <translation>转换为 Adobe RGB(&amp;A)</translation>
    </message>
    <message>
        <source>Convert to &amp;ProPhoto RGB</source>
        <translation>转换为 ProPhoto RGB(&amp;P)</translation>
    </message>
    <message>
        <source>Assign &amp;sRGB</source>
        <translation>指定 sRGB(&amp;S)</translation>
    </message>
    <message>
        <source>Assi&amp;gn profile</source>
        <translation>指定配置文件(&amp;G)</translation>
    </message>
    <message>
        <source>Assign &amp;Display P3</source>
        <translation>指定 Display P3(&amp;D)</translation>
    </message>
    <message>
        <source>Assign &amp;Adobe RGB</source>
        <translation>指定 Adobe RGB(&amp;A)</translation>
    </message>
    <message>
        <source>Assign &amp;ProPhoto RGB</source>
        <translation>指定 ProPhoto RGB(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;New layer</source>
        <translation>新建图层(&amp;N)</translation>
    </message>
    <message>
        <source>New &amp;group</source>
        <translation>新建图层组(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Duplicate layer</source>
        <translation>复制图层(&amp;D)</translation>
    </message>
    <message>
        <source>Layer by &amp;copy</source>
        <translation>通过拷贝的图层(&amp;C)</translation>
    </message>
    <message>
        <source>What is selected becomes a new layer; without a selection, a duplicate.</source>
        <translation>选中的内容成为新图层；没有选区时复制图层。</translation>
    </message>
    <message>
        <source>La&amp;yer by cut</source>
        <translation>通过剪切的图层(&amp;Y)</translation>
    </message>
    <message>
        <source>De&amp;lete layer</source>
        <translation>删除图层(&amp;L)</translation>
    </message>
    <message>
        <source>Make again from the picture belo&amp;w</source>
        <translation>根据下方画面重新生成(&amp;W)</translation>
    </message>
    <message>
        <source>The layer as it is made from what shows below it now.</source>
        <translation>根据下方当前的画面重新生成此图层。</translation>
    </message>
    <message>
        <source>&amp;Show or hide layer</source>
        <translation>显示或隐藏图层(&amp;S)</translation>
    </message>
    <message>
        <source>Clip to the layer &amp;below</source>
        <translation>剪贴到下方图层(&amp;B)</translation>
    </message>
    <message>
        <source>Lock &amp;or unlock</source>
        <translation>锁定或解锁(&amp;O)</translation>
    </message>
    <message>
        <source>Show &amp;everything</source>
        <translation>显示全部(&amp;E)</translation>
    </message>
    <message>
        <source>Mas&amp;k</source>
        <translation>蒙版(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Hide everything</source>
        <translation>隐藏全部(&amp;H)</translation>
    </message>
    <message>
        <source>Show the &amp;selection</source>
        <translation>显示选区(&amp;S)</translation>
    </message>
    <message>
        <source>Hide the se&amp;lection</source>
        <translation>隐藏选区(&amp;L)</translation>
    </message>
    <message>
        <source>From the &amp;transparency</source>
        <translation>从透明区域(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Paint on the mask</source>
        <translation>在蒙版上绘制(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Disable or enable</source>
        <translation>停用或启用(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Invert mask</source>
        <translation>反相蒙版(&amp;I)</translation>
    </message>
    <message>
        <source>Lin&amp;k or unlink</source>
        <translation>链接或取消链接(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Apply</source>
        <translation>应用(&amp;A)</translation>
    </message>
    <message>
        <source>Delete &amp;mask</source>
        <translation>删除蒙版(&amp;M)</translation>
    </message>
    <message>
        <source>Gro&amp;up</source>
        <translation>编组(&amp;U)</translation>
    </message>
    <message>
        <source>Ung&amp;roup</source>
        <translation>取消编组(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Pass through</source>
        <translation>穿透(&amp;P)</translation>
    </message>
    <message>
        <source>Move &amp;up</source>
        <translation>上移一层(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Arrange</source>
        <translation>排列(&amp;A)</translation>
    </message>
    <message>
        <source>Move do&amp;wn</source>
        <translation>下移一层(&amp;W)</translation>
    </message>
    <message>
        <source>To the &amp;top</source>
        <translation>置于顶层(&amp;T)</translation>
    </message>
    <message>
        <source>To the &amp;bottom</source>
        <translation>置于底层(&amp;B)</translation>
    </message>
    <message>
        <source>Flip layer left to &amp;right</source>
        <translation>水平翻转图层(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Transform</source>
        <translation>变换(&amp;T)</translation>
    </message>
    <message>
        <source>Flip layer top to &amp;bottom</source>
        <translation>垂直翻转图层(&amp;B)</translation>
    </message>
    <message>
        <source>Rotate layer 90° &amp;clockwise</source>
        <translation>图层顺时针旋转 90°(&amp;C)</translation>
    </message>
    <message>
        <source>Rotate layer 90° counter-clock&amp;wise</source>
        <translation>图层逆时针旋转 90°(&amp;W)</translation>
    </message>
    <message>
        <source>Rotate layer 1&amp;80°</source>
        <translation>图层旋转 180°(&amp;8)</translation>
    </message>
    <message>
        <source>Turn te&amp;xt into pixels</source>
        <translation>栅格化文字(&amp;X)</translation>
    </message>
    <message>
        <source>&amp;Merge down</source>
        <translation>向下合并(&amp;M)</translation>
    </message>
    <message>
        <source>Several chosen layers become one; a group becomes one layer.</source>
        <translation>所选的多个图层合并为一个；图层组合并为一个图层。</translation>
    </message>
    <message>
        <source>Merge &amp;visible layers</source>
        <translation>合并可见图层(&amp;V)</translation>
    </message>
    <message>
        <source>V&amp;isible as a new layer</source>
        <translation>盖印可见图层(&amp;I)</translation>
    </message>
    <message>
        <source>&amp;Flatten picture</source>
        <translation>拼合图像(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Edit recipe</source>
        <translation>编辑生成参数(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Move</source>
        <translation>移动(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Crop</source>
        <translation>裁剪(&amp;C)</translation>
    </message>
    <message>
        <source>Strai&amp;ghten</source>
        <translation>拉直(&amp;G)</translation>
    </message>
    <message>
        <source>Select &amp;rectangle</source>
        <translation>矩形选框(&amp;R)</translation>
    </message>
    <message>
        <source>Select ellip&amp;se</source>
        <translation>椭圆选框(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Lasso</source>
        <translation>套索(&amp;L)</translation>
    </message>
    <message>
        <source>Select &amp;polygon</source>
        <translation>多边形套索(&amp;P)</translation>
    </message>
    <message>
        <source>Magic &amp;wand</source>
        <translation>魔棒(&amp;W)</translation>
    </message>
    <message>
        <source>&amp;Brush</source>
        <translation>画笔(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Eraser</source>
        <translation>橡皮擦(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Fill</source>
        <translation>油漆桶(&amp;F)</translation>
    </message>
    <message>
        <source>Gr&amp;adient</source>
        <translation>渐变(&amp;A)</translation>
    </message>
    <message>
        <source>Clo&amp;ne stamp</source>
        <translation>仿制图章(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Healing brush</source>
        <translation>修复画笔(&amp;H)</translation>
    </message>
    <message>
        <source>Te&amp;xt</source>
        <translation>文字(&amp;X)</translation>
    </message>
    <message>
        <source>Eye&amp;dropper</source>
        <translation>吸管(&amp;D)</translation>
    </message>
    <message>
        <source>Point at s&amp;ubjects</source>
        <translation>指定主体(&amp;U)</translation>
    </message>
    <message>
        <source>M&amp;ove the view</source>
        <translation>抓手(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;Zoom with the pointer</source>
        <translation>缩放(&amp;Z)</translation>
    </message>
    <message>
        <source>Swap the two colours</source>
        <translation>切换前景色和背景色</translation>
    </message>
    <message>
        <source>Black and white</source>
        <translation>默认前景色和背景色</translation>
    </message>
    <message>
        <source>Larger brush</source>
        <translation>增大画笔</translation>
    </message>
    <message>
        <source>Smaller brush</source>
        <translation>缩小画笔</translation>
    </message>
    <message>
        <source>Harder brush</source>
        <translation>增加画笔硬度</translation>
    </message>
    <message>
        <source>Softer brush</source>
        <translation>降低画笔硬度</translation>
    </message>
    <message>
        <source>Zoom &amp;in</source>
        <translation>放大(&amp;I)</translation>
    </message>
    <message>
        <source>Zoom &amp;out</source>
        <translation>缩小(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;Fit in window</source>
        <translation>适合窗口(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Actual size</source>
        <translation>实际像素(&amp;A)</translation>
    </message>
    <message>
        <source>Fit &amp;width</source>
        <translation>适合宽度(&amp;W)</translation>
    </message>
    <message>
        <source>Fit &amp;selection</source>
        <translation>适合选区(&amp;S)</translation>
    </message>
    <message>
        <source>Rotate view &amp;left</source>
        <translation>向左旋转视图(&amp;L)</translation>
    </message>
    <message>
        <source>Rotate view &amp;right</source>
        <translation>向右旋转视图(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Upright view</source>
        <translation>复位视图旋转(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Before and after</source>
        <translation>修改前后对比(&amp;B)</translation>
    </message>
    <message>
        <source>Rul&amp;ers</source>
        <translation>标尺(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Guides</source>
        <translation>参考线(&amp;G)</translation>
    </message>
    <message>
        <source>S&amp;nap to guides and edges</source>
        <translation>对齐到参考线和边缘(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Pixel grid above 800 %</source>
        <translation>放大到 800 % 以上时显示像素网格(&amp;P)</translation>
    </message>
    <message>
        <source>Selection e&amp;dges</source>
        <translation>选区边缘(&amp;D)</translation>
    </message>
    <message>
        <source>Re&amp;move all guides</source>
        <translation>清除所有参考线(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Full screen</source>
        <translation>全屏(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;All</source>
        <translation>全部(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Deselect</source>
        <translation>取消选择(&amp;D)</translation>
    </message>
    <message>
        <source>Select a&amp;gain</source>
        <translation>重新选择(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Invert selection</source>
        <translation>反选(&amp;I)</translation>
    </message>
    <message>
        <source>The layer&apos;s &amp;pixels</source>
        <translation>图层像素(&amp;P)</translation>
    </message>
    <message>
        <source>What the &amp;mask shows</source>
        <translation>蒙版显示的区域(&amp;M)</translation>
    </message>
    <message>
        <source>Brigh&amp;t parts</source>
        <translation>高光区域(&amp;T)</translation>
    </message>
    <message>
        <source>S&amp;ubjects of the picture</source>
        <translation>图片中的主体(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Grow…</source>
        <translation>扩展(&amp;G)…</translation>
    </message>
    <message>
        <source>&amp;Change</source>
        <translation>修改(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Shrink…</source>
        <translation>收缩(&amp;S)…</translation>
    </message>
    <message>
        <source>&amp;Feather…</source>
        <translation>羽化(&amp;F)…</translation>
    </message>
    <message>
        <source>&amp;Border…</source>
        <translation>边界(&amp;B)…</translation>
    </message>
    <message>
        <source>S&amp;mooth…</source>
        <translation>平滑(&amp;M)…</translation>
    </message>
    <message>
        <source>Keep as mas&amp;k</source>
        <translation>存储为蒙版(&amp;K)</translation>
    </message>
    <message>
        <source>Al&amp;l layers</source>
        <translation>所有图层(&amp;L)</translation>
    </message>
    <message>
        <source>Layer abo&amp;ve</source>
        <translation>上方图层(&amp;V)</translation>
    </message>
    <message>
        <source>Layer belo&amp;w</source>
        <translation>下方图层(&amp;W)</translation>
    </message>
</context>
<context>
    <name>AdjustmentButton</name>
    <message>
        <source>New adjustment layer</source>
        <translation>新建调整图层</translation>
    </message>
</context>
<context>
    <name>AdjustmentForm</name>
    <message>
        <source>This adjustment has nothing to set.</source>
        <translation>此调整没有可设置的内容。</translation>
    </message>
</context>
<context>
    <name>AdjustmentProperties</name>
    <message>
        <source>Back to the defaults</source>
        <translation>恢复默认值</translation>
    </message>
    <message>
        <source>This adjustment has nothing to set.</source>
        <translation>此调整没有可设置的选项。</translation>
    </message>
    <message>
        <source>Change {name}</source>
        <translation>更改 {name}</translation>
    </message>
    <message>
        <source>Reset {name}</source>
        <translation>复位 {name}</translation>
    </message>
</context>
<context>
    <name>Adjustments</name>
    <message>
        <source>Levels</source>
        <translation>色阶</translation>
    </message>
    <message>
        <source>Curves</source>
        <translation>曲线</translation>
    </message>
    <message>
        <source>Brightness and contrast</source>
        <translation>亮度/对比度</translation>
    </message>
    <message>
        <source>Hue, saturation, lightness</source>
        <translation>色相/饱和度/明度</translation>
    </message>
    <message>
        <source>White balance</source>
        <translation>白平衡</translation>
    </message>
    <message>
        <source>Black and white</source>
        <translation>黑白</translation>
    </message>
    <message>
        <source>Invert</source>
        <translation>反相</translation>
    </message>
    <message>
        <source>Posterise</source>
        <translation>色调分离</translation>
    </message>
    <message>
        <source>Gaussian blur</source>
        <translation>高斯模糊</translation>
    </message>
    <message>
        <source>Sharpen</source>
        <translation>锐化</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>红</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>绿</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>蓝</translation>
    </message>
    <message>
        <source>Tint</source>
        <translation>色调</translation>
    </message>
    <message>
        <source>Tint hue</source>
        <translation>着色色相</translation>
    </message>
    <message>
        <source>Tint strength</source>
        <translation>着色强度</translation>
    </message>
    <message>
        <source>Brightness</source>
        <translation>亮度</translation>
    </message>
    <message>
        <source>Contrast</source>
        <translation>对比度</translation>
    </message>
    <message>
        <source>All channels</source>
        <translation>全部通道</translation>
    </message>
    <message>
        <source>Radius (px)</source>
        <translation>半径（像素）</translation>
    </message>
    <message>
        <source>Hue</source>
        <translation>色相</translation>
    </message>
    <message>
        <source>Saturation</source>
        <translation>饱和度</translation>
    </message>
    <message>
        <source>Lightness</source>
        <translation>明度</translation>
    </message>
    <message>
        <source>Colourise</source>
        <translation>着色</translation>
    </message>
    <message>
        <source>Amount (%)</source>
        <translation>数量（%）</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>阈值</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>色温</translation>
    </message>
</context>
<context>
    <name>Application</name>
    <message>
        <source>Opening {name}…</source>
        <translation>正在打开 {name}…</translation>
    </message>
    <message>
        <source>Saving {name}…</source>
        <translation>正在保存 {name}…</translation>
    </message>
    <message>
        <source>Exported {name}.</source>
        <translation>已导出 {name}。</translation>
    </message>
    <message>
        <source>Exporting {name}…</source>
        <translation>正在导出 {name}…</translation>
    </message>
    <message>
        <source>Sample picture</source>
        <translation>示例图片</translation>
    </message>
    <message>
        <source>“{word}” is among the concepts now.</source>
        <translation>“{word}”已加入概念库。</translation>
    </message>
    <message>
        <source>Write the word in a prompt: “a photo of a {word}”.</source>
        <translation>在提示词中写下这个词：“a photo of a {word}”。</translation>
    </message>
    <message>
        <source>“{label}” is among the attributes of {model} now.</source>
        <translation>“{label}”已加入 {model} 的属性。</translation>
    </message>
    <message>
        <source>Add it with “+ Add attribute”.</source>
        <translation>用“+ 添加属性”即可使用。</translation>
    </message>
    <message>
        <source>The {count} oldest steps left the history to save memory.</source>
        <translation>为节省内存，已从历史记录中移除最早的 {count} 步。</translation>
    </message>
    <message>
        <source>Settings › Memory for undo.</source>
        <translation>设置 › 撤销内存。</translation>
    </message>
    <message>
        <source>{what}…</source>
        <translation>{what}…</translation>
    </message>
    <message>
        <source>New picture</source>
        <translation>新图片</translation>
    </message>
    <message>
        <source>Generated</source>
        <translation>生成的图片</translation>
    </message>
    <message>
        <source>Pasted</source>
        <translation>粘贴的图片</translation>
    </message>
</context>
<context>
    <name>AttentionSteps</name>
    <message>
        <source>Where the model looks</source>
        <translation>模型关注的区域</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>步</translation>
    </message>
    <message>
        <source>Export map…</source>
        <translation>导出热力图…</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>all steps</source>
        <translation>所有步</translation>
    </message>
    <message>
        <source>step {number}</source>
        <translation>第 {number} 步</translation>
    </message>
</context>
<context>
    <name>AttributeMenu</name>
    <message>
        <source>Search attributes</source>
        <translation>搜索属性</translation>
    </message>
    <message>
        <source>Attributes for {subject}</source>
        <translation>{subject} 的属性</translation>
    </message>
    <message>
        <source>Nothing fits.</source>
        <translation>没有匹配项。</translation>
    </message>
    <message>
        <source>Teach…</source>
        <translation>训练新属性…</translation>
    </message>
    <message>
        <source>Make a slider of your own from a few words</source>
        <translation>用几个词做出自己的滑块</translation>
    </message>
</context>
<context>
    <name>AttributeRow</name>
    <message>
        <source>{attribute} of {subject}</source>
        <translation>{subject} 的{attribute}</translation>
    </message>
    <message>
        <source>{name}: drag, or use the arrow keys; double click sets it to zero</source>
        <translation>{name}：拖动或用方向键调整；双击归零</translation>
    </message>
    <message>
        <source>Move this attribute of all subjects together</source>
        <translation>所有主体的此属性一起变化</translation>
    </message>
    <message>
        <source>Set to zero</source>
        <translation>归零</translation>
    </message>
    <message>
        <source>Remove this attribute</source>
        <translation>移除此属性</translation>
    </message>
</context>
<context>
    <name>AttributeSession</name>
    <message>
        <source>Preparing sliders</source>
        <translation>正在准备滑块</translation>
    </message>
    <message>
        <source>Choose {word} as a subject</source>
        <translation>将 {word} 选为主体</translation>
    </message>
    <message>
        <source>Release {word}</source>
        <translation>取消主体 {word}</translation>
    </message>
    <message>
        <source>Add {attribute} to {subject}</source>
        <translation>为 {subject} 添加{attribute}</translation>
    </message>
    <message>
        <source>Remove {attribute} from {subject}</source>
        <translation>移除 {subject} 的{attribute}</translation>
    </message>
    <message>
        <source>Change the subjects only</source>
        <translation>只改变主体</translation>
    </message>
    <message>
        <source>Let the edits change their surroundings</source>
        <translation>允许编辑影响周围</translation>
    </message>
    <message>
        <source>Set delay to {value}</source>
        <translation>将延迟设为 {value}</translation>
    </message>
    <message>
        <source>Set seed to {value}</source>
        <translation>将种子设为 {value}</translation>
    </message>
    <message>
        <source>Change the prompt to {prompt}</source>
        <translation>将提示词改为 {prompt}</translation>
    </message>
    <message>
        <source>Change the delay</source>
        <translation>更改延迟</translation>
    </message>
    <message>
        <source>Set {attribute} of {subject} to {value}</source>
        <translation>将 {subject} 的{attribute}设为 {value}</translation>
    </message>
    <message>
        <source>Reset sliders</source>
        <translation>复位滑块</translation>
    </message>
    <message>
        <source>Reset {subject}</source>
        <translation>复位 {subject}</translation>
    </message>
    <message>
        <source>Reset {attribute} of {subject}</source>
        <translation>复位 {subject} 的{attribute}</translation>
    </message>
</context>
<context>
    <name>Attributes</name>
    <message>
        <source>Age</source>
        <translation>年龄</translation>
    </message>
    <message>
        <source>Smile</source>
        <translation>笑容</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Hair: black to blond</source>
        <translation>发色：黑到金</translation>
    </message>
    <message>
        <source>Shirt: blue to red</source>
        <translation>上衣：蓝到红</translation>
    </message>
    <message>
        <source>Fur: black to white</source>
        <translation>毛色：黑到白</translation>
    </message>
    <message>
        <source>Leaves: green to orange</source>
        <translation>叶色：绿到橙</translation>
    </message>
    <message>
        <source>Colour: blue to red</source>
        <translation>颜色：蓝到红</translation>
    </message>
    <message>
        <source>age</source>
        <translation>年龄</translation>
    </message>
    <message>
        <source>smile</source>
        <translation>微笑</translation>
    </message>
    <message>
        <source>size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>colour</source>
        <translation>颜色</translation>
    </message>
    <message>
        <source>hair colour</source>
        <translation>发色</translation>
    </message>
    <message>
        <source>shirt colour</source>
        <translation>衬衫颜色</translation>
    </message>
</context>
<context>
    <name>AttributesDialog</name>
    <message>
        <source>Attributes</source>
        <translation>属性</translation>
    </message>
    <message>
        <source>Add to the attributes</source>
        <translation>加入属性库</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>导入…</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Really?</source>
        <translation>确定？</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>正在读取…</translation>
    </message>
    <message>
        <source>anything</source>
        <translation>任何主体</translation>
    </message>
    <message>
        <source>{attribute} of {subject}</source>
        <translation>{subject}的{attribute}</translation>
    </message>
    <message>
        <source>Only what was taught or imported can be deleted</source>
        <translation>只能删除自己训练或导入的属性</translation>
    </message>
    <message>
        <source>not said</source>
        <translation>未注明</translation>
    </message>
    <message>
        <source>Attribute</source>
        <translation>属性</translation>
    </message>
    <message>
        <source>Of</source>
        <translation>适用于</translation>
    </message>
    <message>
        <source>Made for</source>
        <translation>适用模型</translation>
    </message>
    <message>
        <source>Range</source>
        <translation>范围</translation>
    </message>
    <message>
        <source>Learnt</source>
        <translation>训练方式</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>许可证</translation>
    </message>
    <message>
        <source>Vectors</source>
        <translation>向量</translation>
    </message>
    <message>
        <source>From the words</source>
        <translation>所用词语</translation>
    </message>
    <message>
        <source>{name}: {value}</source>
        <translation>{name}：{value}</translation>
    </message>
    <message>
        <source>Attributes (*.safetensors *.pt)</source>
        <translation>属性 (*.safetensors *.pt)</translation>
    </message>
    <message>
        <source>Import an attribute</source>
        <translation>导入属性</translation>
    </message>
    <message>
        <source>“{name}” is not taken in yet.</source>
        <translation>“{name}”尚未加入。</translation>
    </message>
    <message>
        <source>“{label}” is among the attributes now.</source>
        <translation>“{label}”已加入属性。</translation>
    </message>
    <message>
        <source>“{label}” was deleted; pictures made with it keep theirs.</source>
        <translation>“{label}”已删除；用它制作的图片不受影响。</translation>
    </message>
    <message>
        <source>Export the attribute</source>
        <translation>导出属性</translation>
    </message>
    <message>
        <source>Attribute (*.safetensors)</source>
        <translation>属性 (*.safetensors)</translation>
    </message>
    <message>
        <source>“{name}” was written.</source>
        <translation>已写入“{name}”。</translation>
    </message>
</context>
<context>
    <name>Batch</name>
    <message>
        <source>Longer side</source>
        <translation>长边</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Scale</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Enlarge smaller pictures</source>
        <translation>放大较小的图片</translation>
    </message>
    <message>
        <source>Resampling</source>
        <translation>重采样</translation>
    </message>
    <message>
        <source>Ratio of sides</source>
        <translation>长宽比</translation>
    </message>
    <message>
        <source>What stays</source>
        <translation>保留的部分</translation>
    </message>
    <message>
        <source>Upright for upright pictures</source>
        <translation>竖幅图片用竖幅比例</translation>
    </message>
    <message>
        <source>Colour profile</source>
        <translation>颜色配置文件</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>Crop to a ratio</source>
        <translation>按比例裁剪</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>working…</source>
        <translation>处理中…</translation>
    </message>
    <message>
        <source>done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
</context>
<context>
    <name>BatchDialog</name>
    <message>
        <source>Batch</source>
        <translation>批处理</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Sub-folders as well</source>
        <translation>包含子文件夹</translation>
    </message>
    <message>
        <source>Replace what is there</source>
        <translation>替换已有文件</translation>
    </message>
    <message>
        <source>Only what failed</source>
        <translation>仅失败的</translation>
    </message>
    <message>
        <source>Open in the editor</source>
        <translation>在编辑器中打开</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Report…</source>
        <translation>报告…</translation>
    </message>
    <message>
        <source>Contact sheet…</source>
        <translation>联系表…</translation>
    </message>
    <message>
        <source>One core only</source>
        <translation>仅用一个核心</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Open a recipe…</source>
        <translation>打开配方…</translation>
    </message>
    <message>
        <source>Save the recipe…</source>
        <translation>保存配方…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Names</source>
        <translation>命名</translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation>配方</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Open a recipe</source>
        <translation>打开配方</translation>
    </message>
    <message>
        <source>Recipe (*.json)</source>
        <translation>配方 (*.json)</translation>
    </message>
    <message>
        <source>Save the recipe</source>
        <translation>保存配方</translation>
    </message>
    <message>
        <source>recipe</source>
        <translation>配方</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>报告</translation>
    </message>
    <message>
        <source>report</source>
        <translation>报告</translation>
    </message>
    <message>
        <source>Contact sheet</source>
        <translation>联系表</translation>
    </message>
    <message>
        <source>contact sheet</source>
        <translation>联系表</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Nothing is computed before the folders, the recipe and all names are checked.</source>
        <translation>开始计算之前会先检查文件夹、配方和所有名称。</translation>
    </message>
    <message>
        <source>{done} of {total} done</source>
        <translation>已完成 {done}/{total}</translation>
    </message>
    <message>
        <source>{words} · {count} failed</source>
        <translation>{words} · {count} 个失败</translation>
    </message>
    <message>
        <source>{words} · paused</source>
        <translation>{words} · 已暂停</translation>
    </message>
    <message>
        <source>{words} · {time} left</source>
        <translation>{words} · 剩余 {time}</translation>
    </message>
</context>
<context>
    <name>BatchRow</name>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Batch: {name}</source>
        <translation>批处理：{name}</translation>
    </message>
    <message>
        <source>Show the batch</source>
        <translation>显示批处理</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>正在启动</translation>
    </message>
    <message>
        <source>{done} of {total} done</source>
        <translation>已完成 {done}/{total}</translation>
    </message>
    <message>
        <source>{words} · {count} failed</source>
        <translation>{words} · {count} 个失败</translation>
    </message>
    <message>
        <source>{words} · paused</source>
        <translation>{words} · 已暂停</translation>
    </message>
    <message>
        <source>{words} · {time} left</source>
        <translation>{words} · 剩余 {time}</translation>
    </message>
</context>
<context>
    <name>Batches</name>
    <message>
        <source>Preview of the batch</source>
        <translation>批处理预览</translation>
    </message>
    <message>
        <source>Batch: {name}</source>
        <translation>批处理：{name}</translation>
    </message>
    <message>
        <source>“{name}” is written.</source>
        <translation>已写出“{name}”。</translation>
    </message>
    <message>
        <source>Recipe “{name}”</source>
        <translation>配方“{name}”</translation>
    </message>
    <message>
        <source>The batch is done: {done} of {total} files, {failed} failed.</source>
        <translation>批处理已结束：完成 {done}/{total} 个文件，{failed} 个失败。</translation>
    </message>
</context>
<context>
    <name>BlendBox</name>
    <message>
        <source>Blend mode</source>
        <translation>混合模式</translation>
    </message>
    <message>
        <source>Pass through</source>
        <translation>穿透</translation>
    </message>
</context>
<context>
    <name>BlendMode</name>
    <message>
        <source>Normal</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>Darken</source>
        <translation>变暗</translation>
    </message>
    <message>
        <source>Multiply</source>
        <translation>正片叠底</translation>
    </message>
    <message>
        <source>Colour burn</source>
        <translation>颜色加深</translation>
    </message>
    <message>
        <source>Linear burn</source>
        <translation>线性加深</translation>
    </message>
    <message>
        <source>Darker colour</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Lighten</source>
        <translation>变亮</translation>
    </message>
    <message>
        <source>Screen</source>
        <translation>滤色</translation>
    </message>
    <message>
        <source>Colour dodge</source>
        <translation>颜色减淡</translation>
    </message>
    <message>
        <source>Plus</source>
        <translation>线性减淡（添加）</translation>
    </message>
    <message>
        <source>Linear dodge (add)</source>
        <translation>线性减淡（添加）</translation>
    </message>
    <message>
        <source>Lighter colour</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Overlay</source>
        <translation>叠加</translation>
    </message>
    <message>
        <source>Soft light</source>
        <translation>柔光</translation>
    </message>
    <message>
        <source>Hard light</source>
        <translation>强光</translation>
    </message>
    <message>
        <source>Vivid light</source>
        <translation>亮光</translation>
    </message>
    <message>
        <source>Linear light</source>
        <translation>线性光</translation>
    </message>
    <message>
        <source>Pin light</source>
        <translation>点光</translation>
    </message>
    <message>
        <source>Hard mix</source>
        <translation>实色混合</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>差值</translation>
    </message>
    <message>
        <source>Exclusion</source>
        <translation>排除</translation>
    </message>
    <message>
        <source>Subtract</source>
        <translation>减去</translation>
    </message>
    <message>
        <source>Divide</source>
        <translation>划分</translation>
    </message>
    <message>
        <source>Hue</source>
        <translation>色相</translation>
    </message>
    <message>
        <source>Saturation</source>
        <translation>饱和度</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>颜色</translation>
    </message>
    <message>
        <source>Luminosity</source>
        <translation>明度</translation>
    </message>
    <message>
        <source>Source atop</source>
        <translation>源在上</translation>
    </message>
    <message>
        <source>Destination in</source>
        <translation>目标内部</translation>
    </message>
    <message>
        <source>Destination out</source>
        <translation>目标外部</translation>
    </message>
    <message>
        <source>Destination atop</source>
        <translation>目标在上</translation>
    </message>
    <message>
        <source>Behind</source>
        <translation>背后</translation>
    </message>
    <message>
        <source>Erase</source>
        <translation>清除</translation>
    </message>
</context>
<context>
    <name>Canvas</name>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>before</source>
        <translation>修改前</translation>
    </message>
    <message>
        <source>after</source>
        <translation>修改后</translation>
    </message>
</context>
<context>
    <name>Checkpoints</name>
    <message>
        <source>Compare with</source>
        <translation>对比</translation>
    </message>
    <message>
        <source>From the lower to the higher end, at an earlier step</source>
        <translation>从低值端到高值端，较早步骤的结果</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>保留此结果</translation>
    </message>
    <message>
        <source>Put what was learnt at that step into the library; learning goes on</source>
        <translation>将该步骤训练出的结果加入属性库；训练继续进行</translation>
    </message>
    <message>
        <source>Step {step}</source>
        <translation>第 {step} 步</translation>
    </message>
</context>
<context>
    <name>Choices</name>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Subtract</source>
        <translation>减去</translation>
    </message>
    <message>
        <source>Intersect</source>
        <translation>相交</translation>
    </message>
    <message>
        <source>Free</source>
        <translation>自由</translation>
    </message>
    <message>
        <source>Fixed ratio</source>
        <translation>固定比例</translation>
    </message>
    <message>
        <source>Fixed size</source>
        <translation>固定大小</translation>
    </message>
    <message>
        <source>Original</source>
        <translation>原始比例</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>自定义</translation>
    </message>
    <message>
        <source>Skew</source>
        <translation>斜切</translation>
    </message>
    <message>
        <source>Perspective</source>
        <translation>透视</translation>
    </message>
    <message>
        <source>What lies nearby</source>
        <translation>附近内容</translation>
    </message>
    <message>
        <source>A chosen place</source>
        <translation>指定位置</translation>
    </message>
    <message>
        <source>Foreground colour</source>
        <translation>前景色</translation>
    </message>
    <message>
        <source>Background colour</source>
        <translation>背景色</translation>
    </message>
    <message>
        <source>Transparent</source>
        <translation>透明</translation>
    </message>
    <message>
        <source>Linear</source>
        <translation>线性</translation>
    </message>
    <message>
        <source>Radial</source>
        <translation>径向</translation>
    </message>
    <message>
        <source>Conical</source>
        <translation>角度</translation>
    </message>
    <message>
        <source>Reflected</source>
        <translation>对称</translation>
    </message>
    <message>
        <source>Left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>Centre</source>
        <translation>居中</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>Neglect</source>
        <translation>忽略</translation>
    </message>
    <message>
        <source>Neglect and overlap</source>
        <translation>忽略与重叠</translation>
    </message>
    <message>
        <source>Divide &amp; Bind</source>
        <translation>Divide &amp; Bind</translation>
    </message>
    <message>
        <source>SynGen</source>
        <translation>SynGen</translation>
    </message>
    <message>
        <source>InitNO</source>
        <translation>InitNO</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>DDIM</source>
        <translation>DDIM</translation>
    </message>
    <message>
        <source>DDPM</source>
        <translation>DDPM</translation>
    </message>
    <message>
        <source>LCM (few steps)</source>
        <translation>LCM（少步数）</translation>
    </message>
    <message>
        <source>Euler</source>
        <translation>Euler</translation>
    </message>
    <message>
        <source>Euler a (draws noise)</source>
        <translation>Euler a（逐步加噪）</translation>
    </message>
    <message>
        <source>DPM++ 2M</source>
        <translation>DPM++ 2M</translation>
    </message>
    <message>
        <source>DPM++ 2M Karras</source>
        <translation>DPM++ 2M Karras</translation>
    </message>
    <message>
        <source>Words and picture</source>
        <translation>词语和图片</translation>
    </message>
    <message>
        <source>Words</source>
        <translation>词语</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>差异之处</translation>
    </message>
    <message>
        <source>Plug-and-Play</source>
        <translation>即插即用</translation>
    </message>
    <message>
        <source>Without inversion</source>
        <translation>不反演</translation>
    </message>
    <message>
        <source>One noised copy</source>
        <translation>单一加噪副本</translation>
    </message>
    <message>
        <source>Redraw only</source>
        <translation>仅重绘</translation>
    </message>
    <message>
        <source>From words, in moments</source>
        <translation>由词语得出，片刻即成</translation>
    </message>
    <message>
        <source>From the model&apos;s pictures, slow</source>
        <translation>从模型画的图片学习，较慢</translation>
    </message>
    <message>
        <source>From a picture of yours</source>
        <translation>从你的一张图片</translation>
    </message>
    <message>
        <source>From two pictures, before and after</source>
        <translation>从前后两张图片</translation>
    </message>
    <message>
        <source>A thing</source>
        <translation>一件物品</translation>
    </message>
    <message>
        <source>A person</source>
        <translation>一个人</translation>
    </message>
    <message>
        <source>A style</source>
        <translation>一种风格</translation>
    </message>
    <message>
        <source>Directional, easier to put elsewhere</source>
        <translation>方向式，更容易放进别的场景</translation>
    </message>
    <message>
        <source>Plain, as first published</source>
        <translation>普通式，按最初发表的方法</translation>
    </message>
    <message>
        <source>Constant</source>
        <translation>恒定</translation>
    </message>
    <message>
        <source>Cosine</source>
        <translation>余弦</translation>
    </message>
    <message>
        <source>Constant, 1000 × 10</source>
        <translation>恒定，1000 × 10</translation>
    </message>
    <message>
        <source>Constant, 1000 × 8</source>
        <translation>恒定，1000 × 8</translation>
    </message>
    <message>
        <source>Constant, 2000 × 8</source>
        <translation>恒定，2000 × 8</translation>
    </message>
    <message>
        <source>Cosine, 1000 × 5</source>
        <translation>余弦，1000 × 5</translation>
    </message>
    <message>
        <source>Cosine, 500 × 8</source>
        <translation>余弦，500 × 8</translation>
    </message>
    <message>
        <source>All of it</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>One network at a time</source>
        <translation>每次一个网络</translation>
    </message>
    <message>
        <source>One network at a time, in 8 bits</source>
        <translation>每次一个网络，8 位</translation>
    </message>
    <message>
        <source>One block at a time</source>
        <translation>每次一个模块</translation>
    </message>
    <message>
        <source>One layer at a time</source>
        <translation>每次一层</translation>
    </message>
    <message>
        <source>As they are</source>
        <translation>保持原样</translation>
    </message>
    <message>
        <source>In 8 bits (int8)</source>
        <translation>8 位（int8）</translation>
    </message>
    <message>
        <source>In 8 bits (float8)</source>
        <translation>8 位（float8）</translation>
    </message>
</context>
<context>
    <name>Colour</name>
    <message>
        <source>sRGB</source>
        <translation>sRGB</translation>
    </message>
    <message>
        <source>Display P3</source>
        <translation>Display P3</translation>
    </message>
    <message>
        <source>Adobe RGB (compatible)</source>
        <translation>Adobe RGB（兼容）</translation>
    </message>
    <message>
        <source>ProPhoto RGB (compatible)</source>
        <translation>ProPhoto RGB（兼容）</translation>
    </message>
</context>
<context>
    <name>ColourPair</name>
    <message>
        <source>Foreground and background colour</source>
        <translation>前景色和背景色</translation>
    </message>
    <message>
        <source>Foreground {foreground}, background {background}</source>
        <translation>前景色 {foreground}，背景色 {background}</translation>
    </message>
</context>
<context>
    <name>ColourPatch</name>
    <message>
        <source>Red {red}, green {green}, blue {blue}</source>
        <translation>红 {red}，绿 {green}，蓝 {blue}</translation>
    </message>
</context>
<context>
    <name>ColourPicker</name>
    <message>
        <source>Hue</source>
        <translation>色相</translation>
    </message>
    <message>
        <source>Opacity</source>
        <translation>不透明度</translation>
    </message>
    <message>
        <source>Colour as hexadecimal number</source>
        <translation>十六进制颜色值</translation>
    </message>
    <message>
        <source>Hex</source>
        <translation>十六进制</translation>
    </message>
    <message>
        <source>H</source>
        <translation>H</translation>
    </message>
    <message>
        <source>S</source>
        <translation>S</translation>
    </message>
    <message>
        <source>V</source>
        <translation>V</translation>
    </message>
    <message>
        <source>R</source>
        <translation>R</translation>
    </message>
    <message>
        <source>G</source>
        <translation>G</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
</context>
<context>
    <name>ColourSwatches</name>
    <message>
        <source>Swap the two colours</source>
        <translation>切换前景色和背景色</translation>
    </message>
    <message>
        <source>Black and white</source>
        <translation>默认前景色和背景色</translation>
    </message>
</context>
<context>
    <name>CommandPalette</name>
    <message>
        <source>Command palette</source>
        <translation>命令面板</translation>
    </message>
    <message>
        <source>Type what you want to do</source>
        <translation>输入想要执行的操作</translation>
    </message>
    <message>
        <source>Search commands</source>
        <translation>搜索命令</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>No command fits.</source>
        <translation>没有匹配的命令。</translation>
    </message>
</context>
<context>
    <name>Commands</name>
    <message>
        <source>Rename layer to “{value}”</source>
        <translation>将图层重命名为“{value}”</translation>
    </message>
    <message>
        <source>Show or hide layer “{name}”</source>
        <translation>显示或隐藏图层“{name}”</translation>
    </message>
    <message>
        <source>Opacity of “{name}” to {value}</source>
        <translation>将“{name}”的不透明度设为 {value}</translation>
    </message>
    <message>
        <source>Blend “{name}” as {value}</source>
        <translation>将“{name}”的混合模式设为{value}</translation>
    </message>
    <message>
        <source>Lock or unlock layer “{name}”</source>
        <translation>锁定或解锁图层“{name}”</translation>
    </message>
    <message>
        <source>Move “{name}”</source>
        <translation>移动“{name}”</translation>
    </message>
    <message>
        <source>{name}, edited</source>
        <translation>{name}（已编辑）</translation>
    </message>
    <message>
        <source>Choose subjects</source>
        <translation>选择主体</translation>
    </message>
    <message>
        <source>Add layer</source>
        <translation>添加图层</translation>
    </message>
    <message>
        <source>Delete layer “{name}”</source>
        <translation>删除图层“{name}”</translation>
    </message>
    <message>
        <source>{name} copy</source>
        <translation>{name} 拷贝</translation>
    </message>
    <message>
        <source>Duplicate layer “{name}”</source>
        <translation>复制图层“{name}”</translation>
    </message>
    <message>
        <source>Move layer “{name}”</source>
        <translation>移动图层“{name}”</translation>
    </message>
    <message>
        <source>Flattened</source>
        <translation>拼合的图像</translation>
    </message>
    <message>
        <source>Visible</source>
        <translation>可见图层</translation>
    </message>
    <message>
        <source>{name} part</source>
        <translation>{name} 局部</translation>
    </message>
    <message>
        <source>Layer {number}</source>
        <translation>图层 {number}</translation>
    </message>
    <message>
        <source>Group {number}</source>
        <translation>组 {number}</translation>
    </message>
    <message>
        <source>Add {name}</source>
        <translation>添加 {name}</translation>
    </message>
    <message>
        <source>Add guide</source>
        <translation>添加参考线</translation>
    </message>
    <message>
        <source>Move guide</source>
        <translation>移动参考线</translation>
    </message>
    <message>
        <source>Remove guide</source>
        <translation>移除参考线</translation>
    </message>
    <message>
        <source>Remove all guides</source>
        <translation>清除所有参考线</translation>
    </message>
    <message>
        <source>Crop to the selection</source>
        <translation>裁剪到选区</translation>
    </message>
    <message>
        <source>Crop</source>
        <translation>裁剪</translation>
    </message>
    <message>
        <source>Trim to what shows</source>
        <translation>裁切透明边缘</translation>
    </message>
    <message>
        <source>Show all of every layer</source>
        <translation>显示全部图层内容</translation>
    </message>
    <message>
        <source>Canvas size {width} × {height}</source>
        <translation>画布大小 {width} × {height}</translation>
    </message>
    <message>
        <source>Picture size {width} × {height}</source>
        <translation>图像大小 {width} × {height}</translation>
    </message>
    <message>
        <source>Rotate picture</source>
        <translation>旋转图像</translation>
    </message>
    <message>
        <source>Flip picture</source>
        <translation>翻转图像</translation>
    </message>
    <message>
        <source>Rotate picture by {degrees}°</source>
        <translation>将图像旋转 {degrees}°</translation>
    </message>
    <message>
        <source>Convert to {profile}</source>
        <translation>转换为 {profile}</translation>
    </message>
    <message>
        <source>Assign {profile}</source>
        <translation>指定 {profile}</translation>
    </message>
    <message>
        <source>New layer</source>
        <translation>新建图层</translation>
    </message>
    <message>
        <source>New group</source>
        <translation>新建图层组</translation>
    </message>
    <message>
        <source>Layer by copy</source>
        <translation>通过拷贝的图层</translation>
    </message>
    <message>
        <source>Layer by cut</source>
        <translation>通过剪切的图层</translation>
    </message>
    <message>
        <source>Fill</source>
        <translation>填充</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>清除</translation>
    </message>
    <message>
        <source>Group layers</source>
        <translation>图层编组</translation>
    </message>
    <message>
        <source>Ungroup</source>
        <translation>取消编组</translation>
    </message>
    <message>
        <source>Move layers</source>
        <translation>移动图层</translation>
    </message>
    <message>
        <source>Clip to the layer below</source>
        <translation>剪贴到下方图层</translation>
    </message>
    <message>
        <source>Lock or unlock layers</source>
        <translation>锁定或解锁图层</translation>
    </message>
    <message>
        <source>Let the group pass through, or not</source>
        <translation>切换图层组穿透</translation>
    </message>
    <message>
        <source>Merge layers</source>
        <translation>合并图层</translation>
    </message>
    <message>
        <source>Merge group</source>
        <translation>合并组</translation>
    </message>
    <message>
        <source>Merge down</source>
        <translation>向下合并</translation>
    </message>
    <message>
        <source>Merge visible layers</source>
        <translation>合并可见图层</translation>
    </message>
    <message>
        <source>Visible as a new layer</source>
        <translation>盖印可见图层</translation>
    </message>
    <message>
        <source>Flatten picture</source>
        <translation>拼合图像</translation>
    </message>
    <message>
        <source>Turn text into pixels</source>
        <translation>栅格化文字</translation>
    </message>
    <message>
        <source>Flip layers</source>
        <translation>翻转图层</translation>
    </message>
    <message>
        <source>Rotate layers</source>
        <translation>旋转图层</translation>
    </message>
    <message>
        <source>Add mask</source>
        <translation>添加蒙版</translation>
    </message>
    <message>
        <source>Apply mask</source>
        <translation>应用蒙版</translation>
    </message>
    <message>
        <source>Delete mask</source>
        <translation>删除蒙版</translation>
    </message>
    <message>
        <source>Invert mask</source>
        <translation>反相蒙版</translation>
    </message>
    <message>
        <source>Disable mask</source>
        <translation>停用蒙版</translation>
    </message>
    <message>
        <source>Enable mask</source>
        <translation>启用蒙版</translation>
    </message>
    <message>
        <source>Link or unlink mask</source>
        <translation>链接或取消链接蒙版</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>全选</translation>
    </message>
    <message>
        <source>Deselect</source>
        <translation>取消选择</translation>
    </message>
    <message>
        <source>Select again</source>
        <translation>重新选择</translation>
    </message>
    <message>
        <source>Invert selection</source>
        <translation>反选</translation>
    </message>
    <message>
        <source>Select the layer&apos;s pixels</source>
        <translation>选择图层像素</translation>
    </message>
    <message>
        <source>Select what the mask shows</source>
        <translation>选择蒙版显示的区域</translation>
    </message>
    <message>
        <source>Select bright parts</source>
        <translation>选择高光区域</translation>
    </message>
    <message>
        <source>Select the subjects</source>
        <translation>选择主体</translation>
    </message>
    <message>
        <source>Selection as mask</source>
        <translation>选区存储为蒙版</translation>
    </message>
    <message>
        <source>Grow selection by {radius} px</source>
        <translation>扩展选区 {radius} 像素</translation>
    </message>
    <message>
        <source>Shrink selection by {radius} px</source>
        <translation>收缩选区 {radius} 像素</translation>
    </message>
    <message>
        <source>Feather selection by {radius} px</source>
        <translation>羽化选区 {radius} 像素</translation>
    </message>
    <message>
        <source>Border of {width} px</source>
        <translation>边界 {width} 像素</translation>
    </message>
    <message>
        <source>Smooth selection by {radius} px</source>
        <translation>平滑选区 {radius} 像素</translation>
    </message>
    <message>
        <source>layers</source>
        <translation>图层</translation>
    </message>
    <message>
        <source>Move what is selected</source>
        <translation>移动所选内容</translation>
    </message>
    <message>
        <source>Move selection</source>
        <translation>移动选区</translation>
    </message>
    <message>
        <source>Select</source>
        <translation>选择</translation>
    </message>
    <message>
        <source>Cut</source>
        <translation>剪切</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>粘贴</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>拷贝的图层</translation>
    </message>
    <message>
        <source>Pasted</source>
        <translation>粘贴的图层</translation>
    </message>
    <message>
        <source>Edit text</source>
        <translation>编辑文字</translation>
    </message>
    <message>
        <source>Add text</source>
        <translation>添加文字</translation>
    </message>
    <message>
        <source>Transform</source>
        <translation>变换</translation>
    </message>
</context>
<context>
    <name>CompareMenu</name>
    <message>
        <source>Before tuning</source>
        <translation>调整前</translation>
    </message>
    <message>
        <source>State of the history</source>
        <translation>历史状态</translation>
    </message>
    <message>
        <source>As it began</source>
        <translation>初始状态</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>图层</translation>
    </message>
    <message>
        <source>Without “{name}”</source>
        <translation>不含“{name}”</translation>
    </message>
    <message>
        <source>With “{name}”</source>
        <translation>含“{name}”</translation>
    </message>
</context>
<context>
    <name>ConceptButton</name>
    <message>
        <source>{word}: put it into the prompt</source>
        <translation>{word}：放入提示词</translation>
    </message>
    <message>
        <source>A kind of {kind}</source>
        <translation>属于 {kind}</translation>
    </message>
    <message>
        <source>Learnt with {model}</source>
        <translation>用 {model} 学习</translation>
    </message>
</context>
<context>
    <name>ConceptDialog</name>
    <message>
        <source>Teach a concept</source>
        <translation>训练新概念</translation>
    </message>
    <message>
        <source>Teach</source>
        <translation>开始学习</translation>
    </message>
    <message>
        <source>Show Attune a thing, a person or a style in a few photos, and it learns a word for it that every prompt understands.</source>
        <translation>用几张照片让 Attune 认识一件物品、一个人或一种风格，它会学会一个所有提示词都能理解的词。</translation>
    </message>
    <message>
        <source>my cat</source>
        <translation>my cat</translation>
    </message>
    <message>
        <source>cat</source>
        <translation>cat</translation>
    </message>
    <message>
        <source>A photo of it, as learnt so far</source>
        <translation>目前学到的样子</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>A kind of</source>
        <translation>属于哪一类</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Teach {word}: {kind}</source>
        <translation>学习 {word}：{kind}</translation>
    </message>
    <message>
        <source>No more than {count} photos are taken.</source>
        <translation>最多使用 {count} 张照片。</translation>
    </message>
    <message>
        <source>Photos</source>
        <translation>照片</translation>
    </message>
    <message>
        <source>Pictures ({patterns})</source>
        <translation>图片 ({patterns})</translation>
    </message>
    <message>
        <source>This model cannot draw: {names}</source>
        <translation>此模型画不出：{names}</translation>
    </message>
    <message>
        <source>Learnt. Write {word} in a prompt: {example}.</source>
        <translation>学会了。在提示词中写 {word}：{example}。</translation>
    </message>
    <message>
        <source>In prompts: {word}</source>
        <translation>在提示词中：{word}</translation>
    </message>
    <message>
        <source>In prompts it stands in angle brackets</source>
        <translation>在提示词中写在尖括号里</translation>
    </message>
</context>
<context>
    <name>ConceptShelf</name>
    <message>
        <source>Concepts</source>
        <translation>概念</translation>
    </message>
    <message>
        <source>Learn a word for what a few photos show</source>
        <translation>为几张照片中的内容学一个词</translation>
    </message>
    <message>
        <source>Teach a concept…</source>
        <translation>训练新概念…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>导入…</translation>
    </message>
    <message>
        <source>Files of this or another program</source>
        <translation>本程序或其他程序的文件</translation>
    </message>
    <message>
        <source>Put into the prompt</source>
        <translation>放入提示词</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>重命名…</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Really delete “{word}”</source>
        <translation>确定删除“{word}”</translation>
    </message>
</context>
<context>
    <name>Concepts</name>
    <message>
        <source>Imported {words}. Write the word in a prompt to use it.</source>
        <translation>已导入 {words}。在提示词中写下该词即可使用。</translation>
    </message>
    <message>
        <source>Look at the photos</source>
        <translation>查看照片</translation>
    </message>
    <message>
        <source>Exported {name}.</source>
        <translation>已导出 {name}。</translation>
    </message>
</context>
<context>
    <name>ConflictBar</name>
    <message>
        <source>Keep as it was</source>
        <translation>保持原样</translation>
    </message>
    <message>
        <source>{keys} is taken by “{name}”.</source>
        <translation>{keys} 已被“{name}”占用。</translation>
    </message>
    <message>
        <source>Use for “{name}”</source>
        <translation>用于“{name}”</translation>
    </message>
</context>
<context>
    <name>ContactSheet</name>
    <message>
        <source>Compare: {method}, seed {seed}</source>
        <translation>比较：{method}，种子 {seed}</translation>
    </message>
</context>
<context>
    <name>ContactSheetDialog</name>
    <message>
        <source>Compare methods and seeds</source>
        <translation>比较方法和种子</translation>
    </message>
    <message>
        <source>Seeds</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>{method}, seed {seed}</source>
        <translation>{method}，种子 {seed}</translation>
    </message>
    <message>
        <source>{seen} of {all}</source>
        <translation>{seen} / {all}</translation>
    </message>
    <message>
        <source>Methods: {count}</source>
        <translation>方法：{count}</translation>
    </message>
    <message>
        <source>{method}
all there: {right} of {count}</source>
        <translation>{method}
主体齐全：{right}/{count}</translation>
    </message>
</context>
<context>
    <name>CurveEditor</name>
    <message>
        <source>Curve</source>
        <translation>曲线</translation>
    </message>
    <message>
        <source>Click to add a point, drag to move it, drag it out or press Delete to remove it.
Keys: Page Up and Page Down choose a point, arrows move it, Insert adds one.</source>
        <translation>单击添加控制点，拖动可移动；拖出曲线框或按 Delete 键可移除。
按键：Page Up 和 Page Down 选择控制点，方向键移动，Insert 键添加。</translation>
    </message>
    <message>
        <source>Point {number} of {count}: input {input}, output {output}</source>
        <translation>控制点 {number}/{count}：输入 {input}，输出 {output}</translation>
    </message>
</context>
<context>
    <name>CurvesEditor</name>
    <message>
        <source>Input</source>
        <translation>输入</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>输出</translation>
    </message>
</context>
<context>
    <name>Description</name>
    <message>
        <source>What does this picture show?</source>
        <translation>这张图片里有什么？</translation>
    </message>
    <message>
        <source>a photo of a man and a woman on the beach</source>
        <translation>a photo of a man and a woman on the beach</translation>
    </message>
    <message>
        <source>A click on a person or a thing gives it sliders. The picture below stays as it is.</source>
        <translation>点击人物或物体即可得到滑块，下方的图片保持不变。</translation>
    </message>
    <message>
        <source>Make sliders</source>
        <translation>生成滑块</translation>
    </message>
    <message>
        <source>Suggest</source>
        <translation>推荐</translation>
    </message>
    <message>
        <source>Let the detector say what it finds in the picture</source>
        <translation>让检测器说明画面中有什么</translation>
    </message>
</context>
<context>
    <name>Descriptions</name>
    <message>
        <source>Look at what the picture shows</source>
        <translation>识别画面内容</translation>
    </message>
    <message>
        <source>The detector finds nothing that it knows in this picture.</source>
        <translation>检测器在这张图片中没有识别出任何已知内容。</translation>
    </message>
    <message>
        <source>Say in your own words what it shows.</source>
        <translation>请用自己的话描述画面内容。</translation>
    </message>
</context>
<context>
    <name>DetailsButton</name>
    <message>
        <source>Details</source>
        <translation>详细</translation>
    </message>
</context>
<context>
    <name>Dialog</name>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>DifferenceView</name>
    <message>
        <source>What changes</source>
        <translation>更改内容</translation>
    </message>
    <message>
        <source>Words that go</source>
        <translation>去掉的词</translation>
    </message>
    <message>
        <source>Words that come</source>
        <translation>加入的词</translation>
    </message>
    <message>
        <source>Click a word to say that it belongs to the change, or that it does not.</source>
        <translation>点按一个词，说明它属于或不属于更改。</translation>
    </message>
</context>
<context>
    <name>DownloadBar</name>
    <message>
        <source>Download</source>
        <translation>下载</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Give up</source>
        <translation>放弃</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Asking for {model}…</source>
        <translation>正在请求 {model}…</translation>
    </message>
    <message>
        <source>{done} of {total} GB</source>
        <translation>{done} / {total} GB</translation>
    </message>
    <message>
        <source>{done} of {total} MB</source>
        <translation>{done} / {total} MB</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>looking at the model…</source>
        <translation>正在查看模型…</translation>
    </message>
    <message>
        <source>{speed} MB/s</source>
        <translation>{speed} MB/s</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>还剩 {time}</translation>
    </message>
</context>
<context>
    <name>DrawingSize</name>
    <message>
        <source>Size of the drawing</source>
        <translation>图形的大小</translation>
    </message>
    <message>
        <source>A drawing has no pixels: it is sharp at every size that you choose here. Later it is not.</source>
        <translation>矢量图形没有像素：在此选择的任何大小都清晰，之后再放大则不然。</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Keep as it is</source>
        <translation>保持原样</translation>
    </message>
    <message>
        <source>Draw at this size</source>
        <translation>按此大小绘制</translation>
    </message>
</context>
<context>
    <name>DropHint</name>
    <message>
        <source>Drop to open</source>
        <translation>松开以打开</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Add as layers</source>
        <translation>添加为图层</translation>
    </message>
</context>
<context>
    <name>Edits</name>
    <message>
        <source>Nearest neighbour (hard edges)</source>
        <translation>邻近（硬边缘）</translation>
    </message>
    <message>
        <source>Bilinear</source>
        <translation>两次线性</translation>
    </message>
    <message>
        <source>Bicubic</source>
        <translation>两次立方</translation>
    </message>
    <message>
        <source>Lanczos (sharpest)</source>
        <translation>Lanczos（最锐利）</translation>
    </message>
</context>
<context>
    <name>EditsPanel</name>
    <message>
        <source>Operation</source>
        <translation>操作</translation>
    </message>
</context>
<context>
    <name>Errors</name>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>请释放磁盘空间，或选择其他位置。</translation>
    </message>
    <message>
        <source>You may not write there: choose another folder.</source>
        <translation>没有写入权限：请选择其他文件夹。</translation>
    </message>
    <message>
        <source>Is the drive connected, and the folder there? Choose another place.</source>
        <translation>请检查磁盘是否已连接、文件夹是否存在，或选择其他位置。</translation>
    </message>
    <message>
        <source>Check the name.</source>
        <translation>请检查文件名。</translation>
    </message>
    <message>
        <source>Choose a picture in it.</source>
        <translation>请选择其中的图片。</translation>
    </message>
    <message>
        <source>Close other programs, or make it smaller.</source>
        <translation>请关闭其他程序，或缩小图片。</translation>
    </message>
    <message>
        <source>Get the file again.</source>
        <translation>请重新获取该文件。</translation>
    </message>
    <message>
        <source>Make it smaller with another program first.</source>
        <translation>请先用其他程序缩小。</translation>
    </message>
    <message>
        <source>AVIF is not supported by this installation&apos;s Pillow.</source>
        <translation>当前安装的 Pillow 不支持 AVIF。</translation>
    </message>
    <message>
        <source>Choose WebP or JPEG.</source>
        <translation>请选择 WebP 或 JPEG。</translation>
    </message>
    <message>
        <source>Export it as PNG or TIFF, or smaller.</source>
        <translation>请导出为 PNG 或 TIFF，或缩小尺寸。</translation>
    </message>
    <message>
        <source>Export it as PNG or JPEG.</source>
        <translation>请导出为 PNG 或 JPEG。</translation>
    </message>
    <message>
        <source>Export it as PNG, or smaller.</source>
        <translation>请导出为 PNG，或缩小尺寸。</translation>
    </message>
    <message>
        <source>The document holds no flattened picture.</source>
        <translation>文档不含拼合的图像。</translation>
    </message>
    <message>
        <source>Save it in RGB with Photoshop.</source>
        <translation>请在 Photoshop 中以 RGB 模式保存。</translation>
    </message>
    <message>
        <source>Use Export for other formats.</source>
        <translation>其他格式请使用“导出为”。</translation>
    </message>
    <message>
        <source>“{path}” could not be written: {reason}.</source>
        <translation>无法写入“{path}”：{reason}。</translation>
    </message>
    <message>
        <source>Something went wrong inside Attune.</source>
        <translation>Attune 内部出错。</translation>
    </message>
    <message>
        <source>The colour profile is damaged.</source>
        <translation>颜色配置文件已损坏。</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>请选择其他配置文件。</translation>
    </message>
    <message>
        <source>The colour profile cannot be used for RGB pixels.</source>
        <translation>该颜色配置文件不能用于 RGB 像素。</translation>
    </message>
    <message>
        <source>That colour profile cannot be used.</source>
        <translation>无法使用该颜色配置文件。</translation>
    </message>
    <message>
        <source>It is damaged, or not for RGB pictures.</source>
        <translation>文件已损坏，或不适用于 RGB 图片。</translation>
    </message>
    <message>
        <source>This layer has no prompt, so it has no subjects.</source>
        <translation>此图层没有提示词，因此没有主体。</translation>
    </message>
    <message>
        <source>Choose a generated layer.</source>
        <translation>请选择生成的图层。</translation>
    </message>
    <message>
        <source>That area lies outside the picture.</source>
        <translation>该区域位于图片之外。</translation>
    </message>
    <message>
        <source>Choose a part of the picture.</source>
        <translation>请选择图片的一部分。</translation>
    </message>
    <message>
        <source>Nothing is selected.</source>
        <translation>没有选区。</translation>
    </message>
    <message>
        <source>Select the part to keep.</source>
        <translation>请选择要保留的部分。</translation>
    </message>
    <message>
        <source>The selection lies outside the picture.</source>
        <translation>选区位于图片之外。</translation>
    </message>
    <message>
        <source>Select a part of the picture.</source>
        <translation>请选择图片的一部分。</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>图片为空。</translation>
    </message>
    <message>
        <source>There is nothing to trim it to.</source>
        <translation>没有可裁切的内容。</translation>
    </message>
    <message>
        <source>The chosen layers have no pixels.</source>
        <translation>所选图层没有像素。</translation>
    </message>
    <message>
        <source>Choose a layer with pixels.</source>
        <translation>请选择含像素的图层。</translation>
    </message>
    <message>
        <source>Delete or apply it first.</source>
        <translation>请先删除或应用该蒙版。</translation>
    </message>
    <message>
        <source>Unlock it first.</source>
        <translation>请先解锁。</translation>
    </message>
    <message>
        <source>Add one first.</source>
        <translation>请先添加蒙版。</translation>
    </message>
    <message>
        <source>Select what the mask shall show.</source>
        <translation>请选择蒙版要显示的区域。</translation>
    </message>
    <message>
        <source>There is nothing below to merge with.</source>
        <translation>下方没有可合并的图层。</translation>
    </message>
    <message>
        <source>Choose a layer that lies above another.</source>
        <translation>请选择位于其他图层之上的图层。</translation>
    </message>
    <message>
        <source>Only one layer is chosen.</source>
        <translation>只选择了一个图层。</translation>
    </message>
    <message>
        <source>Choose two or more in the Layers panel.</source>
        <translation>请在“图层”面板中选择两个或更多图层。</translation>
    </message>
    <message>
        <source>None of the chosen layers has pixels that show.</source>
        <translation>所选图层均无可见像素。</translation>
    </message>
    <message>
        <source>Choose a group in the Layers panel.</source>
        <translation>请在“图层”面板中选择图层组。</translation>
    </message>
    <message>
        <source>Nothing is visible.</source>
        <translation>没有可见的图层。</translation>
    </message>
    <message>
        <source>Show a layer first.</source>
        <translation>请先显示一个图层。</translation>
    </message>
    <message>
        <source>These layers have no pixels that show.</source>
        <translation>这些图层没有可见像素。</translation>
    </message>
    <message>
        <source>Show it first: what is hidden is not merged.</source>
        <translation>请先显示该图层：隐藏的图层不会合并。</translation>
    </message>
    <message>
        <source>Unlock it in the Layers panel first.</source>
        <translation>请先在“图层”面板中解锁。</translation>
    </message>
    <message>
        <source>Select a part of it.</source>
        <translation>请选择其中一部分。</translation>
    </message>
    <message>
        <source>Select what shall be cut out.</source>
        <translation>请选择要剪切的区域。</translation>
    </message>
    <message>
        <source>Select something inside it.</source>
        <translation>请选择其中的内容。</translation>
    </message>
    <message>
        <source>A group cannot be put into itself.</source>
        <translation>图层组不能放入自身。</translation>
    </message>
    <message>
        <source>A document needs at least one layer.</source>
        <translation>文档至少需要一个图层。</translation>
    </message>
    <message>
        <source>Add another layer before deleting this one.</source>
        <translation>删除此图层前请先添加其他图层。</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>请先移除一些。</translation>
    </message>
    <message>
        <source>The prompt is empty.</source>
        <translation>提示词为空。</translation>
    </message>
    <message>
        <source>Say in words what the picture shows.</source>
        <translation>请用文字描述图片内容。</translation>
    </message>
    <message>
        <source>This layer has no prompt to refine.</source>
        <translation>此图层没有可细化的提示词。</translation>
    </message>
    <message>
        <source>No subject is chosen.</source>
        <translation>没有选择主体。</translation>
    </message>
    <message>
        <source>Click the words of the prompt that have to be seen, or use Suggest.</source>
        <translation>请单击提示词中必须出现的单词，或使用“建议”。</translation>
    </message>
    <message>
        <source>Where the model looks is not known for this subject.</source>
        <translation>尚不知道模型对此主体的关注区域。</translation>
    </message>
    <message>
        <source>There is no attention map of this subject.</source>
        <translation>此主体没有注意力图。</translation>
    </message>
    <message>
        <source>Generate the picture again, then select the subject.</source>
        <translation>请重新生成图片，再选择主体。</translation>
    </message>
    <message>
        <source>Select a part of the picture first.</source>
        <translation>请先选择图片的一部分。</translation>
    </message>
    <message>
        <source>There is no adjustment with “{kind}”.</source>
        <translation>没有使用“{kind}”的调整。</translation>
    </message>
    <message>
        <source>The curve of “{name}” needs 1 to {most} points.</source>
        <translation>“{name}”的曲线需要 1 至 {most} 个点。</translation>
    </message>
    <message>
        <source>A point of the curve of “{name}” is {point}: allowed is 0 to 1.</source>
        <translation>“{name}”的曲线上有一点为 {point}：允许范围为 0 至 1。</translation>
    </message>
    <message>
        <source>The points of the curve of “{name}” must go from left to right.</source>
        <translation>“{name}”的曲线上的点必须从左到右排列。</translation>
    </message>
    <message>
        <source>Levels of “{name}” are {given}: five numbers are needed.</source>
        <translation>“{name}”的色阶为 {given}：需要五个数值。</translation>
    </message>
    <message>
        <source>Levels of “{name}” are {given}: allowed is 0 to 1.</source>
        <translation>“{name}”的色阶为 {given}：允许范围为 0 至 1。</translation>
    </message>
    <message>
        <source>Gamma of “{name}” is {gamma}: allowed is {low:g} to {high:g}.</source>
        <translation>“{name}”的灰度系数为 {gamma}：允许范围为 {low:g} 至 {high:g}。</translation>
    </message>
    <message>
        <source>White of “{name}” must lie above black.</source>
        <translation>“{name}”的白场必须高于黑场。</translation>
    </message>
    <message>
        <source>Move them apart.</source>
        <translation>请将两者拉开。</translation>
    </message>
    <message>
        <source>There is no evaluation “{name}”.</source>
        <translation>没有名为“{name}”的评测。</translation>
    </message>
    <message>
        <source>There are: {known}.</source>
        <translation>现有：{known}。</translation>
    </message>
    <message>
        <source>There is no subject.</source>
        <translation>没有主体。</translation>
    </message>
    <message>
        <source>Name some with --subjects; this prompt seems to have: {suggested}.</source>
        <translation>请用 --subjects 指定主体；此提示词中似乎有：{suggested}。</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>A delta is a .safetensors file, not “{name}”.</source>
        <translation>增量应为 .safetensors 文件，而不是“{name}”。</translation>
    </message>
    <message>
        <source>“{path}” is a folder.</source>
        <translation>“{path}”是文件夹。</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>请指定其中的文件。</translation>
    </message>
    <message>
        <source>Make it first, or choose another.</source>
        <translation>请先创建该文件夹，或选择其他文件夹。</translation>
    </message>
    <message>
        <source>“{text}” cannot be read.</source>
        <translation>无法理解“{text}”。</translation>
    </message>
    <message>
        <source>Write SUBJECT:ATTRIBUTE=VALUE, such as man:age=1.5.</source>
        <translation>请写作 SUBJECT:ATTRIBUTE=VALUE，例如 man:age=1.5。</translation>
    </message>
    <message>
        <source>There is no colour profile “{name}”.</source>
        <translation>没有颜色配置文件“{name}”。</translation>
    </message>
    <message>
        <source>Choose one of: {profiles}.</source>
        <translation>可选：{profiles}。</translation>
    </message>
    <message>
        <source>A document has at most {most} guides.</source>
        <translation>文档最多有 {most} 条参考线。</translation>
    </message>
    <message>
        <source>A layer has no property “{name}”.</source>
        <translation>图层没有属性“{name}”。</translation>
    </message>
    <message>
        <source>Known are: {properties}.</source>
        <translation>已知：{properties}。</translation>
    </message>
    <message>
        <source>“{text}” is not in the prompt.</source>
        <translation>提示词中没有“{text}”。</translation>
    </message>
    <message>
        <source>There is no picture in the clipboard.</source>
        <translation>剪贴板中没有图片。</translation>
    </message>
    <message>
        <source>Copy one in any program first.</source>
        <translation>请先在任一程序中复制图片。</translation>
    </message>
    <message>
        <source>“{name}” has no pixels of its own.</source>
        <translation>“{name}”自身没有像素。</translation>
    </message>
    <message>
        <source>The clipboard&apos;s picture cannot be read.</source>
        <translation>无法读取剪贴板中的图片。</translation>
    </message>
    <message>
        <source>Copy it again.</source>
        <translation>请重新复制。</translation>
    </message>
    <message>
        <source>“{name}” has no mask.</source>
        <translation>“{name}”没有蒙版。</translation>
    </message>
    <message>
        <source>Nothing would be selected.</source>
        <translation>将不会选中任何内容。</translation>
    </message>
    <message>
        <source>The selection stays as it was.</source>
        <translation>选区保持不变。</translation>
    </message>
    <message>
        <source>This layer has no subjects.</source>
        <translation>此图层没有主体。</translation>
    </message>
    <message>
        <source>Choose a generated layer and click on words.</source>
        <translation>请选择生成的图层并单击单词。</translation>
    </message>
    <message>
        <source>A canvas cannot have {depth} bits a channel.</source>
        <translation>画布不能为每通道 {depth} 位。</translation>
    </message>
    <message>
        <source>Use 8 or 16.</source>
        <translation>请使用 8 或 16。</translation>
    </message>
    <message>
        <source>Nothing here can tell what is in the pictures of {name}.</source>
        <translation>这里没有能辨认 {name} 所生成图片内容的工具。</translation>
    </message>
    <message>
        <source>Name a detection model in Settings.</source>
        <translation>请在“设置”中指定检测模型。</translation>
    </message>
    <message>
        <source>A preview must have the size of its layer.</source>
        <translation>预览的尺寸必须与图层相同。</translation>
    </message>
    <message>
        <source>The file has a layer of the unknown kind “{kind}”.</source>
        <translation>文件中有未知类型“{kind}”的图层。</translation>
    </message>
    <message>
        <source>Open it with a newer Attune.</source>
        <translation>请用更新版本的 Attune 打开。</translation>
    </message>
    <message>
        <source>The sliders of layer “{name}” cannot be restored: {reason}</source>
        <translation>无法恢复图层“{name}”的滑块：{reason}</translation>
    </message>
    <message>
        <source>The text of layer “{name}” is pixels only: {reason}</source>
        <translation>图层“{name}”的文字只有像素：{reason}</translation>
    </message>
    <message>
        <source>Layer “{name}” uses the blend mode “{value}”, which is shown as normal.</source>
        <translation>图层“{name}”使用混合模式“{value}”，以“正常”显示。</translation>
    </message>
    <message>
        <source>A part of the file is no base64: {reason}.</source>
        <translation>文件的一部分不是 base64 编码：{reason}。</translation>
    </message>
    <message>
        <source>What is selected can be turned in one layer only.</source>
        <translation>选区内容只能在一个图层中旋转。</translation>
    </message>
    <message>
        <source>Choose one layer, or deselect first.</source>
        <translation>请只选择一个图层，或先取消选区。</translation>
    </message>
    <message>
        <source>There is no anchor “{anchor}”.</source>
        <translation>没有定位点“{anchor}”。</translation>
    </message>
    <message>
        <source>Choose one of: {anchors}.</source>
        <translation>可选：{anchors}。</translation>
    </message>
    <message>
        <source>A picture cannot be {width} × {height} pixels.</source>
        <translation>图片不能为 {width} × {height} 像素。</translation>
    </message>
    <message>
        <source>A picture of {width} × {height} pixels is too large.</source>
        <translation>{width} × {height} 像素的图片过大。</translation>
    </message>
    <message>
        <source>“{name}” has a mask already.</source>
        <translation>“{name}”已有蒙版。</translation>
    </message>
    <message>
        <source>The transparency of “{name}” is locked.</source>
        <translation>“{name}”的透明像素已锁定。</translation>
    </message>
    <message>
        <source>There is no mask “{kind}”.</source>
        <translation>没有蒙版类型“{kind}”。</translation>
    </message>
    <message>
        <source>Choose one of: {masks}.</source>
        <translation>可选：{masks}。</translation>
    </message>
    <message>
        <source>“{name}” is an adjustment and has no pixels to merge into.</source>
        <translation>“{name}”是调整图层，没有可并入的像素。</translation>
    </message>
    <message>
        <source>“{name}” is no group.</source>
        <translation>“{name}”不是图层组。</translation>
    </message>
    <message>
        <source>“{name}” has no pixels that show.</source>
        <translation>“{name}”没有可见像素。</translation>
    </message>
    <message>
        <source>“{name}” is hidden.</source>
        <translation>“{name}”已隐藏。</translation>
    </message>
    <message>
        <source>Layer “{name}” is locked.</source>
        <translation>图层“{name}”已锁定。</translation>
    </message>
    <message>
        <source>The position of “{name}” is locked.</source>
        <translation>“{name}”的位置已锁定。</translation>
    </message>
    <message>
        <source>Nothing of “{name}” is selected.</source>
        <translation>选区不包含“{name}”的内容。</translation>
    </message>
    <message>
        <source>The angle is {degrees:g}°: allowed is -360 to 360.</source>
        <translation>角度为 {degrees:g}°：允许范围为 -360 至 360。</translation>
    </message>
    <message>
        <source>There is no method “{method}”.</source>
        <translation>没有方法“{method}”。</translation>
    </message>
    <message>
        <source>Choose one of: {methods}.</source>
        <translation>可选：{methods}。</translation>
    </message>
    <message>
        <source>Choose one of: {endings}.</source>
        <translation>可选：{endings}。</translation>
    </message>
    <message>
        <source>Attune cannot write “{name}”.</source>
        <translation>Attune 无法写入“{name}”格式。</translation>
    </message>
    <message>
        <source>Attune cannot write files with the ending of “{name}”.</source>
        <translation>Attune 无法写入“{name}”这种扩展名的文件。</translation>
    </message>
    <message>
        <source>“{name}” is no picture that Attune reads.</source>
        <translation>“{name}”不是 Attune 可读取的图片。</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>“{name}”是空文件。</translation>
    </message>
    <message>
        <source>There is no file “{path}”.</source>
        <translation>找不到文件“{path}”。</translation>
    </message>
    <message>
        <source>“{path}” cannot be read: {reason}.</source>
        <translation>无法读取“{path}”：{reason}。</translation>
    </message>
    <message>
        <source>“{name}” does not fit into memory.</source>
        <translation>内存不足，无法打开“{name}”。</translation>
    </message>
    <message>
        <source>“{name}” is damaged or incomplete: {reason}.</source>
        <translation>“{name}”已损坏或不完整：{reason}。</translation>
    </message>
    <message>
        <source>The picture was converted from {mode} to sRGB.</source>
        <translation>图片已从 {mode} 转换为 sRGB。</translation>
    </message>
    <message>
        <source>The picture holds its 16-bit colours apart; it was opened with 8 bits a channel.</source>
        <translation>图片的 16 位颜色分开存放；已以每通道 8 位打开。</translation>
    </message>
    <message>
        <source>The picture&apos;s values from {low:g} to {high:g} were scaled to 16 bits.</source>
        <translation>图片中 {low:g} 至 {high:g} 的数值已缩放为 16 位。</translation>
    </message>
    <message>
        <source>A project is saved as .ora, not “{name}”.</source>
        <translation>工程须保存为 .ora，而不是“{name}”。</translation>
    </message>
    <message>
        <source>Attune does not write “{suffix}” files.</source>
        <translation>Attune 不写入“{suffix}”文件。</translation>
    </message>
    <message>
        <source>Choose AVIF, JPEG or PNG.</source>
        <translation>请选择 AVIF、JPEG 或 PNG。</translation>
    </message>
    <message>
        <source>The picture has {width} × {height} pixels; JPEG holds up to {most} on a side.</source>
        <translation>图片为 {width} × {height} 像素；JPEG 单边最多 {most} 像素。</translation>
    </message>
    <message>
        <source>“{name}” has {width} × {height} pixels; that is no picture.</source>
        <translation>“{name}”为 {width} × {height} 像素，不是有效图片。</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>无法读取“{name}”：{reason}。</translation>
    </message>
    <message>
        <source>The file has {count} parts; that is too many.</source>
        <translation>文件有 {count} 个部分，数量过多。</translation>
    </message>
    <message>
        <source>“{name}” in the file is too large ({size_mib} MiB).</source>
        <translation>文件中的“{name}”过大 ({size_mib} MiB)。</translation>
    </message>
    <message>
        <source>The file lacks “{name}”.</source>
        <translation>文件缺少“{name}”。</translation>
    </message>
    <message>
        <source>It is incomplete; get it again.</source>
        <translation>文件不完整，请重新获取。</translation>
    </message>
    <message>
        <source>“{filename}” in the file is too large ({size_mib} MiB).</source>
        <translation>文件中的“{filename}”过大 ({size_mib} MiB)。</translation>
    </message>
    <message>
        <source>The adjustment “{name}” is of a kind that Attune lacks; it was left out.</source>
        <translation>Attune 不支持调整“{name}”的类型，已略去。</translation>
    </message>
    <message>
        <source>The file has no layers (stack.xml lacks a stack).</source>
        <translation>文件没有图层 (stack.xml 中缺少 stack)。</translation>
    </message>
    <message>
        <source>A part of kind “{tag}” was left out.</source>
        <translation>类型为“{tag}”的部分已略去。</translation>
    </message>
    <message>
        <source>“{name}” uses the blend mode “{given}”, which is shown as normal.</source>
        <translation>“{name}”使用混合模式“{given}”，以“正常”显示。</translation>
    </message>
    <message>
        <source>The layers cannot be read (stack.xml): {reason}.</source>
        <translation>无法读取图层 (stack.xml)：{reason}。</translation>
    </message>
    <message>
        <source>“{name}” of a {tag} is {text}: a number is needed.</source>
        <translation>{tag} 的“{name}”为 {text}：应为数字。</translation>
    </message>
    <message>
        <source>Choose PNG, JPEG or WebP.</source>
        <translation>请选择 PNG、JPEG 或 WebP。</translation>
    </message>
    <message>
        <source>The picture&apos;s sliders cannot be restored: {reason}</source>
        <translation>无法恢复图片的滑块：{reason}</translation>
    </message>
    <message>
        <source>bitmap</source>
        <translation>位图</translation>
    </message>
    <message>
        <source>indexed colour</source>
        <translation>索引颜色</translation>
    </message>
    <message>
        <source>CMYK</source>
        <translation>CMYK</translation>
    </message>
    <message>
        <source>multichannel</source>
        <translation>多通道</translation>
    </message>
    <message>
        <source>duotone</source>
        <translation>双色调</translation>
    </message>
    <message>
        <source>Lab</source>
        <translation>Lab</translation>
    </message>
    <message>
        <source>Save as .ora, or export a picture.</source>
        <translation>请存储为 .ora，或导出图片。</translation>
    </message>
    <message>
        <source>“{name}” is damaged or incomplete.</source>
        <translation>“{name}”已损坏或不完整。</translation>
    </message>
    <message>
        <source>stopped at {done} of {total}. The same command with --resume goes on.</source>
        <translation>已停在 {done}/{total}。用同一命令加上 --resume 即可继续。</translation>
    </message>
    <message>
        <source>there is nothing to go on from; this begins at the beginning.</source>
        <translation>没有可以接着做的进度，从头开始。</translation>
    </message>
    <message>
        <source>an earlier run of this is given up; --resume would have gone on.</source>
        <translation>放弃了先前未完成的进度；加上 --resume 就会接着做。</translation>
    </message>
    <message>
        <source>There are {count} pictures, and “{path}” is no folder.</source>
        <translation>共有 {count} 张图片，而“{path}”不是文件夹。</translation>
    </message>
    <message>
        <source>Name a folder that is there with -o.</source>
        <translation>请用 -o 指定一个已有的文件夹。</translation>
    </message>
    <message>
        <source>“{first}” and “{second}” would both become “{target}”.</source>
        <translation>“{first}”和“{second}”都会写成“{target}”。</translation>
    </message>
    <message>
        <source>Convert them into different folders.</source>
        <translation>请转换到不同的文件夹。</translation>
    </message>
    <message>
        <source>“{target}” is a picture that is converted itself.</source>
        <translation>“{target}”本身就是要转换的图片。</translation>
    </message>
    <message>
        <source>Choose another name or folder, or replace it with --overwrite.</source>
        <translation>请换一个名称或文件夹，或用 --overwrite 替换它。</translation>
    </message>
    <message>
        <source>A project keeps the picture as it is; {flag} is for other formats.</source>
        <translation>项目会原样保留图片；{flag} 用于其他格式。</translation>
    </message>
    <message>
        <source>Leave it out, or write a PNG, TIFF, JPEG, WebP or AVIF.</source>
        <translation>请去掉此选项，或写成 PNG、TIFF、JPEG、WebP 或 AVIF。</translation>
    </message>
    <message>
        <source>{format} cannot be encoded as a JPEG was.</source>
        <translation>{format} 无法沿用 JPEG 的编码方式。</translation>
    </message>
    <message>
        <source>{format} has no quality: nothing is lost in it.</source>
        <translation>{format} 没有品质选项：它是无损的。</translation>
    </message>
    <message>
        <source>{format} holds 8 bits a channel.</source>
        <translation>{format} 每个通道为 8 位。</translation>
    </message>
    <message>
        <source>{format} has no place for {names}.</source>
        <translation>{format} 无法保存：{names}。</translation>
    </message>
    <message>
        <source>It was limited to a part of this picture; in others it would be done to all of it.</source>
        <translation>它只作用于这张图片的一部分；对其他图片将作用于整张。</translation>
    </message>
    <message>
        <source>It belongs to this picture alone.</source>
        <translation>它只属于这张图片。</translation>
    </message>
    <message>
        <source>Nothing is chosen that could be done to other pictures.</source>
        <translation>没有选择可用于其他图片的步骤。</translation>
    </message>
    <message>
        <source>Choose a step.</source>
        <translation>请选择一个步骤。</translation>
    </message>
    <message>
        <source>The steps were made with more than one model, and a recipe has one.</source>
        <translation>这些步骤用了不止一个模型，而一个配方只有一个模型。</translation>
    </message>
    <message>
        <source>Choose those of one model.</source>
        <translation>请选择同一模型的步骤。</translation>
    </message>
    <message>
        <source>lease</source>
        <translation>占用记录</translation>
    </message>
    <message>
        <source>The manifest&apos;s first line</source>
        <translation>清单的第一行</translation>
    </message>
    <message>
        <source>The manifest&apos;s version</source>
        <translation>清单的版本</translation>
    </message>
    <message>
        <source>The manifest has version {version}; this Attune reads up to {known}.</source>
        <translation>清单的版本为 {version}；此 Attune 最高可读 {known}。</translation>
    </message>
    <message>
        <source>Use a newer Attune.</source>
        <translation>请使用更新的 Attune。</translation>
    </message>
    <message>
        <source>A line of the manifest</source>
        <translation>清单中的一行</translation>
    </message>
    <message>
        <source>“{path}” is no manifest of a batch that this Attune can go on with.</source>
        <translation>“{path}”不是此 Attune 可以继续的批处理清单。</translation>
    </message>
    <message>
        <source>Choose another folder for the results, or move that file away.</source>
        <translation>请为结果选择其他文件夹，或移走该文件。</translation>
    </message>
    <message>
        <source>“{path}” belongs to the recipe “{known}” ({known_mark}), not to “{name}” ({mark}).</source>
        <translation>“{path}”属于配方“{known}”（{known_mark}），而不是“{name}”（{mark}）。</translation>
    </message>
    <message>
        <source>Choose another folder for the results, or go on with the same recipe and the same model.</source>
        <translation>请为结果选择其他文件夹，或用同一配方和模型继续。</translation>
    </message>
    <message>
        <source>“{path}” was begun with the names “{known}”, not with “{pattern}”.</source>
        <translation>“{path}”开始时的命名规则是“{known}”，而不是“{pattern}”。</translation>
    </message>
    <message>
        <source>Choose another folder for the results, or the same names.</source>
        <translation>请为结果选择其他文件夹，或使用相同的命名规则。</translation>
    </message>
    <message>
        <source>The weights of {name} are not those that the recipe was made with ({wanted}, here {found}).</source>
        <translation>{name} 的权重与制作配方时的不同（应为 {wanted}，此处为 {found}）。</translation>
    </message>
    <message>
        <source>Add the model that it was made with, or take “model_hash” out of the recipe.</source>
        <translation>请添加当时的模型，或从配方中去掉“model_hash”。</translation>
    </message>
    <message>
        <source>Import the one that it was made with, or take its “delta” out of the recipe.</source>
        <translation>请导入当时的增量，或从配方中去掉它的“delta”。</translation>
    </message>
    <message>
        <source>The delta of “{subject}: {attribute}” is another one than the recipe was made with.</source>
        <translation>“{subject}: {attribute}”的增量与制作配方时的不同。</translation>
    </message>
    <message>
        <source>There is no cluster of Ray at “{address}”: {reason}.</source>
        <translation>“{address}”处没有 Ray 集群：{reason}。</translation>
    </message>
    <message>
        <source>Start one, or leave --on out.</source>
        <translation>请启动集群，或去掉 --on。</translation>
    </message>
    <message>
        <source>Ray is not installed, which --on needs.</source>
        <translation>--on 需要 Ray，但它没有安装。</translation>
    </message>
    <message>
        <source>Install it with pip install “attune[ray]”.</source>
        <translation>请用 pip install “attune[ray]” 安装。</translation>
    </message>
    <message>
        <source>parameters</source>
        <translation>参数</translation>
    </message>
    <message>
        <source>“{name}” takes no picture, so it cannot be done to one.</source>
        <translation>“{name}”不接受图片，因此无法作用于图片。</translation>
    </message>
    <message>
        <source>Operations on pictures are: {known}.</source>
        <translation>可作用于图片的操作有：{known}。</translation>
    </message>
    <message>
        <source>“{name}” is set, but it is the file&apos;s.</source>
        <translation>设置了“{name}”，但它由文件决定。</translation>
    </message>
    <message>
        <source>Leave it out.</source>
        <translation>请去掉它。</translation>
    </message>
    <message>
        <source>{name}</source>
        <translation>{name}</translation>
    </message>
    <message>
        <source>“{path}” lies outside of the recipe&apos;s folder.</source>
        <translation>“{path}”在配方所在文件夹之外。</translation>
    </message>
    <message>
        <source>Put it beside the recipe.</source>
        <translation>请把它放在配方旁边。</translation>
    </message>
    <message>
        <source>“{path}” belongs to the recipe and is not here.</source>
        <translation>“{path}”属于该配方，但不在这里。</translation>
    </message>
    <message>
        <source>Read it from its file.</source>
        <translation>请从文件读取。</translation>
    </message>
    <message>
        <source>“{path}” is not the file that the recipe was made with.</source>
        <translation>“{path}”不是制作该配方时所用的文件。</translation>
    </message>
    <message>
        <source>Get the recipe again, with its files.</source>
        <translation>请重新获取配方及其文件。</translation>
    </message>
    <message>
        <source>edits</source>
        <translation>编辑</translation>
    </message>
    <message>
        <source>subjects</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>“{path}” has no pictures.</source>
        <translation>“{path}”中没有图片。</translation>
    </message>
    <message>
        <source>Choose another folder, look into sub-folders as well, or change what is taken.</source>
        <translation>请选择其他文件夹、包含子文件夹，或更改选取条件。</translation>
    </message>
    <message>
        <source>“{path}” is no folder.</source>
        <translation>“{path}”不是文件夹。</translation>
    </message>
    <message>
        <source>Name the folder that it lies in.</source>
        <translation>请指定它所在的文件夹。</translation>
    </message>
    <message>
        <source>Choose another one for the results.</source>
        <translation>请为结果选择另一个文件夹。</translation>
    </message>
    <message>
        <source>Results cannot go into the folder of the pictures itself, “{path}”.</source>
        <translation>结果不能放进图片所在的文件夹“{path}”。</translation>
    </message>
    <message>
        <source>“{source}” lies inside of “{target}”, where the results would go.</source>
        <translation>“{source}”位于存放结果的“{target}”之内。</translation>
    </message>
    <message>
        <source>Choose another folder for the results.</source>
        <translation>请为结果选择其他文件夹。</translation>
    </message>
    <message>
        <source>“{target}”, where the results would go, lies inside of “{source}”.</source>
        <translation>存放结果的“{target}”位于“{source}”之内。</translation>
    </message>
    <message>
        <source>Choose a folder beside it for the results.</source>
        <translation>请在它旁边为结果选择一个文件夹。</translation>
    </message>
    <message>
        <source>“{pattern}” is no pattern of names.</source>
        <translation>“{pattern}”不是有效的命名规则。</translation>
    </message>
    <message>
        <source>Write the name without ending; {gaps} are filled in.</source>
        <translation>请写不带扩展名的名称；{gaps} 会被填入。</translation>
    </message>
    <message>
        <source>The folder “{path}” cannot be looked into: {reason}.</source>
        <translation>无法查看文件夹“{path}”：{reason}。</translation>
    </message>
    <message>
        <source>Change its rights, or take it out.</source>
        <translation>请更改其权限，或将它移出。</translation>
    </message>
    <message>
        <source>Give the original ending a place in the names, such as {pattern}, or choose other files.</source>
        <translation>请在名称中加入原扩展名，例如 {pattern}，或选择其他文件。</translation>
    </message>
    <message>
        <source>This is the recipe of one picture, not of a batch.</source>
        <translation>这是单张图片的配方，不是批处理的配方。</translation>
    </message>
    <message>
        <source>A batch&apos;s recipe has version, name, model, seed and steps.</source>
        <translation>批处理的配方包含 version、name、model、seed 和 steps。</translation>
    </message>
    <message>
        <source>The recipe has an unknown field {unknown}.</source>
        <translation>配方中有未知的字段 {unknown}。</translation>
    </message>
    <message>
        <source>The recipe&apos;s steps</source>
        <translation>配方的步骤</translation>
    </message>
    <message>
        <source>The recipe&apos;s model</source>
        <translation>配方的模型</translation>
    </message>
    <message>
        <source>The recipe&apos;s name</source>
        <translation>配方的名称</translation>
    </message>
    <message>
        <source>The recipe&apos;s amount</source>
        <translation>配方的强度</translation>
    </message>
    <message>
        <source>The recipe names no model.</source>
        <translation>配方没有指定模型。</translation>
    </message>
    <message>
        <source>Its steps need one: “model”, such as mini-sd1.</source>
        <translation>其中的步骤需要模型：“model”，例如 mini-sd1。</translation>
    </message>
    <message>
        <source>recipe</source>
        <translation>配方</translation>
    </message>
    <message>
        <source>The recipe lacks what belongs to it: {what}.</source>
        <translation>配方缺少所需的内容：{what}。</translation>
    </message>
    <message>
        <source>The recipe&apos;s seed is “{seed}”.</source>
        <translation>配方的种子为“{seed}”。</translation>
    </message>
    <message>
        <source>It is a whole number from 0 to {most}, or “path”: each file its own, by where it lies.</source>
        <translation>种子是 0 到 {most} 的整数，或“path”：按所在位置每个文件各有其种子。</translation>
    </message>
    <message>
        <source>The recipe&apos;s seed</source>
        <translation>配方的种子</translation>
    </message>
    <message>
        <source>It</source>
        <translation>该步骤</translation>
    </message>
    <message>
        <source>A step has one of: {known}.</source>
        <translation>一个步骤含有其中之一：{known}。</translation>
    </message>
    <message>
        <source>It is of no kind that is known here.</source>
        <translation>它不属于任何已知的类型。</translation>
    </message>
    <message>
        <source>It has an unknown field {unknown}.</source>
        <translation>其中有未知的字段 {unknown}。</translation>
    </message>
    <message>
        <source>Unknown adjustment “{name}”.</source>
        <translation>未知的调整“{name}”。</translation>
    </message>
    <message>
        <source>Step {number} of the recipe: {what}</source>
        <translation>配方的第 {number} 步：{what}</translation>
    </message>
    <message>
        <source>The recipe&apos;s export</source>
        <translation>配方的导出</translation>
    </message>
    <message>
        <source>The recipe&apos;s export has an unknown option {unknown}.</source>
        <translation>配方的导出中有未知的选项 {unknown}。</translation>
    </message>
    <message>
        <source>Known are: {known}. Size and crop are steps.</source>
        <translation>已知的有：{known}。尺寸和裁剪属于步骤。</translation>
    </message>
    <message>
        <source>A batch writes flat pictures, not projects.</source>
        <translation>批处理写出的是拼合的图片，不是项目。</translation>
    </message>
    <message>
        <source>Choose PNG, TIFF, JPEG, WebP or AVIF.</source>
        <translation>请选择 PNG、TIFF、JPEG、WebP 或 AVIF。</translation>
    </message>
    <message>
        <source>batch</source>
        <translation>批处理</translation>
    </message>
    <message>
        <source>A contact sheet is a .png or .jpg file, not “{name}”.</source>
        <translation>联系表应为 .png 或 .jpg 文件，而不是“{name}”。</translation>
    </message>
    <message>
        <source>Nothing is done yet, so there is nothing on the sheet.</source>
        <translation>还没有完成任何文件，联系表上没有内容。</translation>
    </message>
    <message>
        <source>Go on with a newer Attune, or choose another folder for the results: it is “{path}”.</source>
        <translation>请用更新版本的 Attune 继续，或为结果选择其他文件夹：该文件是“{path}”。</translation>
    </message>
    <message>
        <source>The cluster stopped: {reason}.</source>
        <translation>集群已停止：{reason}。</translation>
    </message>
    <message>
        <source>The same command goes on where it is, with or without --on.</source>
        <translation>同一命令会从当前进度继续，加不加 --on 都可以。</translation>
    </message>
    <message>
        <source>Run the batch first.</source>
        <translation>请先运行批处理。</translation>
    </message>
    <message>
        <source>“{path}” holds no batch.</source>
        <translation>“{path}”中没有批处理。</translation>
    </message>
    <message>
        <source>Choose the folder of its results.</source>
        <translation>请选择它的结果文件夹。</translation>
    </message>
    <message>
        <source>Close other programs, or use fewer cores.</source>
        <translation>请关闭其他程序，或使用更少的核心。</translation>
    </message>
    <message>
        <source>An unexpected problem stopped this file ({detail}).</source>
        <translation>意外问题使此文件中止（{detail}）。</translation>
    </message>
    <message>
        <source>Please report it.</source>
        <translation>请报告此问题。</translation>
    </message>
    <message>
        <source>The folder “{path}” is gone.</source>
        <translation>文件夹“{path}”不见了。</translation>
    </message>
    <message>
        <source>Is the drive connected?</source>
        <translation>磁盘是否已连接？</translation>
    </message>
    <message>
        <source>and {count} more</source>
        <translation>另有 {count} 个</translation>
    </message>
    <message>
        <source>There is something already in the place of: {names}.</source>
        <translation>这些名称已被占用：{names}。</translation>
    </message>
    <message>
        <source>Choose another folder for the results or other names, or have it replaced.</source>
        <translation>请为结果选择其他文件夹或名称，或允许替换。</translation>
    </message>
    <message>
        <source>Write it as 3:2, 1:1 or 16:9.</source>
        <translation>请写成 3:2、1:1 或 16:9。</translation>
    </message>
    <message>
        <source>it is no ratio of sides</source>
        <translation>这不是长宽比</translation>
    </message>
    <message>
        <source>A concept is a .safetensors file, not “{name}”.</source>
        <translation>概念是 .safetensors 文件，而不是“{name}”。</translation>
    </message>
    <message>
        <source>what was learnt is not lost: the same command with --resume goes on.</source>
        <translation>已学到的内容没有丢失：用同一条命令加上 --resume 即可继续。</translation>
    </message>
    <message>
        <source>learning needs about {total:.1f} GB of memory, {weights:.1f} GB of it for the model.</source>
        <translation>学习大约需要 {total:.1f} GB 内存，其中模型占 {weights:.1f} GB。</translation>
    </message>
    <message>
        <source>stopped at {done} of {total}. What was done could not be kept.</source>
        <translation>已在 {done}/{total} 处停止。已完成的部分无法保存。</translation>
    </message>
    <message>
        <source>{count} cores are none.</source>
        <translation>{count} 个核心无效。</translation>
    </message>
    <message>
        <source>Give 1 or more.</source>
        <translation>请给出 1 或更大的数。</translation>
    </message>
    <message>
        <source>{count} lines of “{path}” cannot be read; their files are done again.</source>
        <translation>“{path}”中有 {count} 行无法读取；相应文件会重新处理。</translation>
    </message>
    <message>
        <source>{name} failed; the manifest says why.</source>
        <translation>{name} 失败；原因见清单。</translation>
    </message>
    <message>
        <source>When that is mended, the same command goes on.</source>
        <translation>问题解决后，用同一命令即可继续。</translation>
    </message>
    <message>
        <source>stopped at {done} of {total}. The same command goes on.</source>
        <translation>已停在 {done}/{total}。用同一命令即可继续。</translation>
    </message>
    <message>
        <source>{done} of {total} done, {failed} failed, {made} of them now ({seconds} s).</source>
        <translation>完成 {done}/{total}，失败 {failed}，其中本次完成 {made}（{seconds} 秒）。</translation>
    </message>
    <message>
        <source>what failed is in “{path}”; --retry-failed tries it again.</source>
        <translation>失败的文件记录在“{path}”中；--retry-failed 会重试。</translation>
    </message>
    <message>
        <source>The sheet is a .png file, not “{name}”.</source>
        <translation>对比图是 .png 文件，不是“{name}”。</translation>
    </message>
    <message>
        <source>Say what “positive” and “negative” are, or leave --definition out.</source>
        <translation>写明“positive”和“negative”，或去掉 --definition。</translation>
    </message>
    <message>
        <source>“{name}” is no file and no delta of the library.</source>
        <translation>“{name}”既不是文件，也不是库中的增量。</translation>
    </message>
    <message>
        <source>“attune deltas list” shows what there is.</source>
        <translation>“attune deltas list”会列出现有的增量。</translation>
    </message>
    <message>
        <source>One word cannot name {count} files.</source>
        <translation>一个词不能命名 {count} 个文件。</translation>
    </message>
    <message>
        <source>There is a file “{name}” already.</source>
        <translation>已存在文件“{name}”。</translation>
    </message>
    <message>
        <source>Choose another with -o, or this one to replace it.</source>
        <translation>请用 -o 指定别的文件；若要替换它，请用 -o 指定它。</translation>
    </message>
    <message>
        <source>--vae is for one model, and “{folder}” is no model.</source>
        <translation>--vae 只用于单个模型，而“{folder}”不是模型。</translation>
    </message>
    <message>
        <source>Name the model&apos;s file or folder.</source>
        <translation>请指定模型的文件或文件夹。</translation>
    </message>
    <message>
        <source>Write NAME:STRENGTH, such as pixel-art:0.8.</source>
        <translation>请写成 NAME:STRENGTH，例如 pixel-art:0.8。</translation>
    </message>
    <message>
        <source>“{text}”: the strength must be a number from -{most:g} to {most:g}.</source>
        <translation>“{text}”：强度必须是 -{most:g} 到 {most:g} 之间的数。</translation>
    </message>
    <message>
        <source>1 is what the LoRA was trained for, 0 is without it.</source>
        <translation>1 为 LoRA 训练时的强度，0 为不使用。</translation>
    </message>
    <message>
        <source>One name cannot stand for {count} files.</source>
        <translation>一个名称不能代表 {count} 个文件。</translation>
    </message>
    <message>
        <source>{count} tensors of “{name}” are of no known layer and stay unused: {some} …</source>
        <translation>“{name}”中有 {count} 个张量不属于任何已知的层，不会使用：{some} …</translation>
    </message>
    <message>
        <source>One name cannot stand for a folder.</source>
        <translation>一个名称不能代表一个文件夹。</translation>
    </message>
    <message>
        <source>Name the file, or leave out --name.</source>
        <translation>请指明文件，或省略 --name。</translation>
    </message>
    <message>
        <source>“{path}” is what the result is made from.</source>
        <translation>“{path}”正是生成结果所依据的文件。</translation>
    </message>
    <message>
        <source>Choose another name for it.</source>
        <translation>请为结果另取名称。</translation>
    </message>
    <message>
        <source>keeps {kept:.1f} MiB of the picture&apos;s features, at most {limit} MiB.</source>
        <translation>将保留图片的 {kept:.1f} MiB 特征,最多 {limit} MiB。</translation>
    </message>
    <message>
        <source>“{word}” stands in no prompt and does nothing: write it, in its angle brackets, where it is meant.</source>
        <translation>“{word}”没有出现在任何提示词中，因此不起作用：请在需要的地方连同尖括号一起写上。</translation>
    </message>
    <message>
        <source>{flag} says nothing together with --image.</source>
        <translation>{flag} 与 --image 一起使用时不起作用。</translation>
    </message>
    <message>
        <source>The result is as large as the picture; leave it out.</source>
        <translation>结果与图片一样大；请去掉它。</translation>
    </message>
    <message>
        <source>“{text}”: the value must be a number from -{most:g} to {most:g}.</source>
        <translation>“{text}”：数值必须是 -{most:g} 至 {most:g} 之间的数字。</translation>
    </message>
    <message>
        <source>The picture was changed meanwhile.</source>
        <translation>图片在此期间已更改。</translation>
    </message>
    <message>
        <source>Apply the recipe again.</source>
        <translation>请重新应用配方。</translation>
    </message>
    <message>
        <source>The batch stopped: {reason}.</source>
        <translation>批处理已停止：{reason}。</translation>
    </message>
    <message>
        <source>Select what is to be learnt, and come back.</source>
        <translation>请先选中要学习的内容，再回到这里。</translation>
    </message>
    <message>
        <source>Nothing has been learnt yet.</source>
        <translation>还没有学到任何东西。</translation>
    </message>
    <message>
        <source>Let it learn for a while.</source>
        <translation>请让它再学一会儿。</translation>
    </message>
    <message>
        <source>{count} files were not added; the first of them: {reason}</source>
        <translation>有 {count} 个文件没有添加；其中第一个：{reason}</translation>
    </message>
    <message>
        <source>An input of the recipe is damaged.</source>
        <translation>生成参数的一项输入已损坏。</translation>
    </message>
    <message>
        <source>“{name}” is a file of GIMP, whose layers only GIMP itself reads well.</source>
        <translation>“{name}”是 GIMP 的文件，只有 GIMP 自己才能正确读取其图层。</translation>
    </message>
    <message>
        <source>Open it in GIMP and export it as OpenRaster (.ora) or as Photoshop document (.psd), which keep the layers.</source>
        <translation>请在 GIMP 中打开，并导出为 OpenRaster（.ora）或 Photoshop 文档（.psd），这样图层会保留。</translation>
    </message>
    <message>
        <source>“{name}” is a HEIF picture, which needs the library pillow-heif.</source>
        <translation>“{name}”是 HEIF 图片，需要 pillow-heif 库。</translation>
    </message>
    <message>
        <source>Install pillow-heif, or convert the picture to JPEG or PNG.</source>
        <translation>请安装 pillow-heif，或将图片转换为 JPEG 或 PNG。</translation>
    </message>
    <message>
        <source>The picture was no JPEG that it could be like; the quality is {quality}.</source>
        <translation>图片原本不是 JPEG，没有可沿用的品质；品质设为 {quality}。</translation>
    </message>
    <message>
        <source>Choose AVIF, WebP or PNG.</source>
        <translation>请选择 AVIF、WebP 或 PNG。</translation>
    </message>
    <message>
        <source>Further channels of the file were left out.</source>
        <translation>文件中的其他通道已略去。</translation>
    </message>
    <message>
        <source>The picture&apos;s colour space is one of its own, which is not read; sRGB was taken.</source>
        <translation>图片使用自带的色彩空间，无法读取；已按 sRGB 处理。</translation>
    </message>
    <message>
        <source>Choose TIFF or PNG with 16 bits.</source>
        <translation>请选择 16 位的 TIFF 或 PNG。</translation>
    </message>
    <message>
        <source>Values of the picture that are no numbers were made black or white.</source>
        <translation>图片中不是数字的值已变为黑色或白色。</translation>
    </message>
    <message>
        <source>“{name}” holds {count} million numbers; Attune opens up to {most} million.</source>
        <translation>“{name}”含有 {count} 百万个数值；Attune 最多可打开 {most} 百万个。</translation>
    </message>
    <message>
        <source>Leave out channels with another program first.</source>
        <translation>请先用其他程序去掉一些通道。</translation>
    </message>
    <message>
        <source>Further channels of the file were left out: {names}.</source>
        <translation>文件中的其他通道已略去：{names}。</translation>
    </message>
    <message>
        <source>A picture of the project</source>
        <translation>项目中的图片</translation>
    </message>
    <message>
        <source>The project lacks a map of attention.</source>
        <translation>项目缺少一个注意力图。</translation>
    </message>
    <message>
        <source>The project keeps an input elsewhere than its name says.</source>
        <translation>项目中一项输入的位置与其名称不符。</translation>
    </message>
    <message>
        <source>The project&apos;s maps of attention are damaged.</source>
        <translation>项目的注意力图已损坏。</translation>
    </message>
    <message>
        <source>The document is in {mode}; it was opened flattened, in sRGB.</source>
        <translation>文档为 {mode} 模式；已拼合，以 sRGB 打开。</translation>
    </message>
    <message>
        <source>unknown colours</source>
        <translation>未知颜色</translation>
    </message>
    <message>
        <source>Adjustment “{name}”: {difference}.</source>
        <translation>调整“{name}”：{difference}。</translation>
    </message>
    <message>
        <source>between its points the curve may differ a little</source>
        <translation>曲线在各点之间可能略有差异</translation>
    </message>
    <message>
        <source>it is computed a little differently</source>
        <translation>计算方式略有不同</translation>
    </message>
    <message>
        <source>changes of single hues were left out</source>
        <translation>对单个色相的更改已略去</translation>
    </message>
    <message>
        <source>only its red, green and blue were taken, not its tint</source>
        <translation>只采用了红、绿、蓝，未采用色调</translation>
    </message>
    <message>
        <source>only its red, green and blue were taken</source>
        <translation>只采用了红、绿、蓝</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that Attune lacks ({kind}) and was left out.</source>
        <translation>Attune 不支持“{name}”的类型 ({kind})，已略去。</translation>
    </message>
    <message>
        <source>“{name}” is an artboard and was opened as a group, without its background.</source>
        <translation>“{name}”是画板，已作为图层组打开，不含其背景。</translation>
    </message>
    <message>
        <source>“{name}” is a shape or fill that Attune lacks and was left out.</source>
        <translation>“{name}”是 Attune 不支持的形状或填充，已略去。</translation>
    </message>
    <message>
        <source>“{name}” was opened as pixels.</source>
        <translation>“{name}”已作为像素打开。</translation>
    </message>
    <message>
        <source>dissolve</source>
        <translation>溶解</translation>
    </message>
    <message>
        <source>“{name}” has layer effects, which were left out.</source>
        <translation>“{name}”带有图层效果，已略去。</translation>
    </message>
    <message>
        <source>The text layer “{name}” was opened as pixels.</source>
        <translation>文字图层“{name}”已作为像素打开。</translation>
    </message>
    <message>
        <source>The smart object “{name}” was opened as pixels.</source>
        <translation>智能对象“{name}”已作为像素打开。</translation>
    </message>
    <message>
        <source>The shape “{name}” was opened as pixels.</source>
        <translation>形状“{name}”已作为像素打开。</translation>
    </message>
    <message>
        <source>The drawing became pixels: {width} × {height}.</source>
        <translation>矢量图形已变为像素：{width} × {height}。</translation>
    </message>
    <message>
        <source>What the file only names, such as pictures and fonts elsewhere, was not fetched.</source>
        <translation>文件只提到名称的内容（例如别处的图片和字体）没有读取。</translation>
    </message>
    <message>
        <source>Scripts, moving parts and other documents in the file were left out.</source>
        <translation>文件中的脚本、动画和其他文档已略去。</translation>
    </message>
    <message>
        <source>Choose PNG.</source>
        <translation>请选择 PNG。</translation>
    </message>
    <message>
        <source>Drawing SVG needs libraries of the system that are not there: {reason}.</source>
        <translation>绘制 SVG 需要系统中缺少的库：{reason}。</translation>
    </message>
    <message>
        <source>A drawing becomes at most {most} pixels wide and high, not {width} × {height}.</source>
        <translation>矢量图形的宽和高最多为 {most} 像素，不能是 {width} × {height}。</translation>
    </message>
    <message>
        <source>The SVG defines entities or refers to other files in its head.</source>
        <translation>此 SVG 在开头定义了实体或引用了其他文件。</translation>
    </message>
    <message>
        <source>Save it as plain SVG with another program, such as Inkscape.</source>
        <translation>请用其他程序（例如 Inkscape）另存为普通 SVG。</translation>
    </message>
    <message>
        <source>The file holds no SVG picture.</source>
        <translation>文件中没有 SVG 图形。</translation>
    </message>
    <message>
        <source>An SVG file can have at most {most} MiB.</source>
        <translation>SVG 文件最大为 {most} MiB。</translation>
    </message>
    <message>
        <source>The SVG has more than {most} elements, or they lie more than {deepest} deep.</source>
        <translation>此 SVG 的元素超过 {most} 个，或嵌套超过 {deepest} 层。</translation>
    </message>
    <message>
        <source>Simplify it with another program first.</source>
        <translation>请先用其他程序简化它。</translation>
    </message>
    <message>
        <source>Parts of the SVG use themselves.</source>
        <translation>此 SVG 的某些部分引用了自身。</translation>
    </message>
    <message>
        <source>Mend it with another program first.</source>
        <translation>请先用其他程序修复它。</translation>
    </message>
    <message>
        <source>The SVG is drawn of more than {most} parts, which use each other.</source>
        <translation>此 SVG 的各部分相互引用，要绘制的超过 {most} 个。</translation>
    </message>
    <message>
        <source>The picture has {size_gb} GB; TIFF holds up to 4 GB.</source>
        <translation>图片为 {size_gb} GB；TIFF 最多 4 GB。</translation>
    </message>
    <message>
        <source>The picture has {width} × {height} pixels; WebP holds up to {most} on a side.</source>
        <translation>图片为 {width} × {height} 像素；WebP 单边最多 {most} 像素。</translation>
    </message>
    <message>
        <source>A picture is missing.</source>
        <translation>缺少图片。</translation>
    </message>
    <message>
        <source>Open one, or choose a file.</source>
        <translation>请打开一张图片，或选择一个文件。</translation>
    </message>
    <message>
        <source>This layer was not made from the picture below it.</source>
        <translation>此图层不是根据下方画面生成的。</translation>
    </message>
    <message>
        <source>Choose one that was.</source>
        <translation>请选择根据下方画面生成的图层。</translation>
    </message>
    <message>
        <source>The part of the picture that “{name}” may change no longer fits it.</source>
        <translation>“{name}”可更改的区域已与图层不符。</translation>
    </message>
    <message>
        <source>Make a new layer instead.</source>
        <translation>请改为新建一个图层。</translation>
    </message>
    <message>
        <source>There is nothing to be seen there.</source>
        <translation>这里没有任何可见内容。</translation>
    </message>
    <message>
        <source>Choose a layer that shows something.</source>
        <translation>请选择有可见内容的图层。</translation>
    </message>
    <message>
        <source>The subject is missing.</source>
        <translation>缺少主体。</translation>
    </message>
    <message>
        <source>A word for one end is missing.</source>
        <translation>缺少其中一端的词。</translation>
    </message>
    <message>
        <source>“{words}” would stand after “{subject}”, but the words are put before it.</source>
        <translation>“{words}”在英文中位于“{subject}”之后，而这些词会放在它之前。</translation>
    </message>
    <message>
        <source>Say it as one would before the noun: “bearded”, not “with a beard”.</source>
        <translation>请换成放在名词之前的说法：用“bearded”，而不是“with a beard”。</translation>
    </message>
    <message>
        <source>Both ends are “{word}”.</source>
        <translation>两端都是“{word}”。</translation>
    </message>
    <message>
        <source>Choose words that differ.</source>
        <translation>请选择不同的词。</translation>
    </message>
    <message>
        <source>That is too long.</source>
        <translation>太长了。</translation>
    </message>
    <message>
        <source>A few words are enough.</source>
        <translation>几个词就够了。</translation>
    </message>
    <message>
        <source>Write one text a line.</source>
        <translation>每行写一段文字。</translation>
    </message>
    <message>
        <source>There are {count} texts.</source>
        <translation>共有 {count} 段文字。</translation>
    </message>
    <message>
        <source>Write at most {most}.</source>
        <translation>最多写 {most} 段。</translation>
    </message>
    <message>
        <source>“{name}” was changed since: these variations no longer fit it.</source>
        <translation>“{name}”之后被更改过：这些变体已不再适合它。</translation>
    </message>
    <message>
        <source>Undo that, or make new ones.</source>
        <translation>请撤销该更改，或生成新的变体。</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>A mask has one channel, not {channels}.</source>
        <translation>蒙版应有 1 个通道，而不是 {channels} 个。</translation>
    </message>
    <message>
        <source>Opacity is {opacity:g}: allowed is 0 to 1.</source>
        <translation>不透明度为 {opacity:g}：允许范围为 0 至 1。</translation>
    </message>
    <message>
        <source>A layer has four channels, not {channels}.</source>
        <translation>图层应有 4 个通道，而不是 {channels} 个。</translation>
    </message>
    <message>
        <source>A layer cannot hold pixels of shape {shape}.</source>
        <translation>图层无法容纳形状为 {shape} 的像素。</translation>
    </message>
    <message>
        <source>The recipe has no request.</source>
        <translation>生成参数中没有请求。</translation>
    </message>
    <message>
        <source>It needs request and subjects.</source>
        <translation>生成参数需要请求和主体。</translation>
    </message>
    <message>
        <source>The text&apos;s size is {size_px:g} px: allowed is 1 to 10000.</source>
        <translation>文字大小为 {size_px:g} 像素：允许范围为 1 至 10000。</translation>
    </message>
    <message>
        <source>The line height is {line_height:g}: allowed is 0.1 to 10.</source>
        <translation>行高为 {line_height:g}：允许范围为 0.1 至 10。</translation>
    </message>
    <message>
        <source>There is no alignment “{alignment}”.</source>
        <translation>没有对齐方式“{alignment}”。</translation>
    </message>
    <message>
        <source>Use {alignments}.</source>
        <translation>请使用 {alignments}。</translation>
    </message>
    <message>
        <source>The text&apos;s colour is {colour}: allowed are four numbers 0 to 255.</source>
        <translation>文字颜色为 {colour}：应为四个 0 至 255 的数值。</translation>
    </message>
    <message>
        <source>A track of the recipe</source>
        <translation>配方中的一条轨道</translation>
    </message>
    <message>
        <source>{name} does not rise from one end to the other.</source>
        <translation>{name}没有从一端到另一端递增。</translation>
    </message>
    <message>
        <source>A layer cannot hold samples of type {kind}.</source>
        <translation>图层无法容纳类型为 {kind} 的样本。</translation>
    </message>
    <message>
        <source>A layer cannot be {width} × {height} pixels.</source>
        <translation>图层不能为 {width} × {height} 像素。</translation>
    </message>
    <message>
        <source>Use at least 1 × 1.</source>
        <translation>请至少使用 1 × 1。</translation>
    </message>
    <message>
        <source>Choose a smaller guidance scale, or smaller values of attributes and LoRAs.</source>
        <translation>请降低引导强度，或减小属性和 LoRA 的数值。</translation>
    </message>
    <message>
        <source>its vectors are all zero</source>
        <translation>其向量全为零</translation>
    </message>
    <message>
        <source>a LoRA (add it with “attune loras add”)</source>
        <translation>LoRA（请用“attune loras add”添加）</translation>
    </message>
    <message>
        <source>Have it converted by a program that you trust it with: in Python, safetensors.torch.save_file({{&apos;emb_params&apos;: torch.load(&apos;{name}&apos;, weights_only=True)[&apos;string_to_param&apos;][&apos;*&apos;].detach()}}, &apos;{stem}.safetensors&apos;).</source>
        <translation>请用您信任的程序转换它：在 Python 中运行 safetensors.torch.save_file({{&apos;emb_params&apos;: torch.load(&apos;{name}&apos;, weights_only=True)[&apos;string_to_param&apos;][&apos;*&apos;].detach()}}, &apos;{stem}.safetensors&apos;)。</translation>
    </message>
    <message>
        <source>“{key}” is a part of a network</source>
        <translation>“{key}”是网络的一部分</translation>
    </message>
    <message>
        <source>The definition “{name}” is not right: {sentence}</source>
        <translation>定义“{name}”有误：{sentence}</translation>
    </message>
    <message>
        <source>With a scale of 0 the slider would change nothing.</source>
        <translation>比例为 0 时，滑块不会改变任何内容。</translation>
    </message>
    <message>
        <source>Usual is 0.5.</source>
        <translation>通常为 0.5。</translation>
    </message>
    <message>
        <source>A pair has the unknown {unknown}.</source>
        <translation>有一对含有未知的 {unknown}。</translation>
    </message>
    <message>
        <source>It may have {known}.</source>
        <translation>可以有 {known}。</translation>
    </message>
    <message>
        <source>The attribute “{key}” comes with the program.</source>
        <translation>属性“{key}”是程序自带的。</translation>
    </message>
    <message>
        <source>Only what was taught or imported can be deleted.</source>
        <translation>只能删除自己训练或导入的属性。</translation>
    </message>
    <message>
        <source>There is more than one attribute “{name}” of your own.</source>
        <translation>你的属性中有多个名为“{name}”。</translation>
    </message>
    <message>
        <source>There is no attribute “{name}” of your own.</source>
        <translation>你的属性中没有“{name}”。</translation>
    </message>
    <message>
        <source>it answered {code}</source>
        <translation>它返回了 {code}</translation>
    </message>
    <message>
        <source>“{model}” could not be downloaded: the proxy {proxy} cannot be used ({reason}).</source>
        <translation>无法下载“{model}”：代理 {proxy} 不可用（{reason}）。</translation>
    </message>
    <message>
        <source>Check the addresses in HTTPS_PROXY and HTTP_PROXY, or unset them where no proxy is needed.</source>
        <translation>请检查 HTTPS_PROXY 和 HTTP_PROXY 中的地址；如果不需要代理，请取消设置。</translation>
    </message>
    <message>
        <source>“{model}” is not on this machine, and downloading is switched off ({variable}).</source>
        <translation>“{model}”不在本机上，且下载已关闭（{variable}）。</translation>
    </message>
    <message>
        <source>To download it unset {variable}, and start Attune again.</source>
        <translation>要下载它，请取消设置 {variable}，然后重新启动 Attune。</translation>
    </message>
    <message>
        <source>“{folder}” has very many folders: only the first {count} were looked at. Choose one further down.</source>
        <translation>“{folder}”中的文件夹过多：只查看了前 {count} 个。请选择更下层的文件夹。</translation>
    </message>
    <message>
        <source>Scenes is {count}: at least 1 is needed.</source>
        <translation>场景数为 {count}：至少需要 1 个。</translation>
    </message>
    <message>
        <source>Scenes is {count}: at most {most} are there.</source>
        <translation>场景数为 {count}：最多只有 {most} 个。</translation>
    </message>
    <message>
        <source>“{text}” is no part of an evaluation.</source>
        <translation>“{text}”不是评测的一部分。</translation>
    </message>
    <message>
        <source>Write 3/16 for the third of sixteen parts.</source>
        <translation>例如 3/16 表示十六份中的第三份。</translation>
    </message>
    <message>
        <source>“{path}” is no evaluation.</source>
        <translation>“{path}”不是评测文件。</translation>
    </message>
    <message>
        <source>Name files that evaluations wrote.</source>
        <translation>请指定由评测写出的文件。</translation>
    </message>
    <message>
        <source>“{path}” and “{first}” measure different things: they differ in “{name}”.</source>
        <translation>“{path}”与“{first}”测量的内容不同：“{name}”不一致。</translation>
    </message>
    <message>
        <source>Gather files of one suite, model and settings.</source>
        <translation>请合并同一评测、同一模型、同一设置的文件。</translation>
    </message>
    <message>
        <source>“{path}” has measured what another file has measured too: {case}.</source>
        <translation>“{path}”测量了另一文件也测量过的内容：{case}。</translation>
    </message>
    <message>
        <source>Gather each part once.</source>
        <translation>每一份只合并一次。</translation>
    </message>
    <message>
        <source>“{path}” is no file of the evaluation “{suite}”.</source>
        <translation>“{path}”不是评测“{suite}”的文件。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: {reason}</source>
        <translation>“{path}”已损坏：{reason}</translation>
    </message>
    <message>
        <source>the number of a pair</source>
        <translation>图对的编号</translation>
    </message>
    <message>
        <source>“{name}” are no pictures that two sliders are measured on.</source>
        <translation>没有名为“{name}”的图片可用来同时测量两个滑块。</translation>
    </message>
    <message>
        <source>Enlarged, the picture would have {width} × {height} pixels.</source>
        <translation>放大后图片将有 {width} × {height} 像素。</translation>
    </message>
    <message>
        <source>At most {most} megapixels are possible: choose a smaller enlargement.</source>
        <translation>最多 {most} 百万像素：请选择较小的放大倍数。</translation>
    </message>
    <message>
        <source>Photo {number}: {what}</source>
        <translation>照片 {number}：{what}</translation>
    </message>
    <message>
        <source>The file of the LoRA “{name}” is another one than when it was added.</source>
        <translation>LoRA“{name}”的文件与添加时不同。</translation>
    </message>
    <message>
        <source>Add it again: {path}.</source>
        <translation>请重新添加：{path}。</translation>
    </message>
    <message>
        <source>its numbers for {layer} are too large for {dtype}</source>
        <translation>{layer} 的数值超出 {dtype} 的范围</translation>
    </message>
    <message>
        <source>The LoRA “{name}” does not fit {model}: its part for {layer} takes {given} and gives {made}, and the layer takes {taken} and gives {wanted}.</source>
        <translation>LoRA“{name}”不适用于 {model}：{layer} 的部分输入 {given}、输出 {made}，而该层输入 {taken}、输出 {wanted}。</translation>
    </message>
    <message>
        <source>Choose a LoRA that was made for this kind of model.</source>
        <translation>请选择为此类模型制作的 LoRA。</translation>
    </message>
    <message>
        <source>The LoRA “{name}” does not fit {model}: none of its {count} layers is there.</source>
        <translation>LoRA“{name}”不适用于 {model}：它的 {count} 个层都不在其中。</translation>
    </message>
    <message>
        <source>LoRA “{name}”: {missing} of its {count} layers are not in {model} and add nothing: {some} …</source>
        <translation>LoRA“{name}”：它的 {count} 个层中有 {missing} 个不在 {model} 中，不起作用：{some} …</translation>
    </message>
    <message>
        <source>Choose a LoRA for Stable Diffusion 1.x, 2.x, XL or 3 as .safetensors.</source>
        <translation>请选择适用于 Stable Diffusion 1.x、2.x、XL 或 3 的 .safetensors 格式 LoRA。</translation>
    </message>
    <message>
        <source>it is too large for one</source>
        <translation>文件过大</translation>
    </message>
    <message>
        <source>“{key}” holds numbers that are not finite</source>
        <translation>“{key}”中含有非有限数值</translation>
    </message>
    <message>
        <source>“{name}” is no LoRA that can be used: {reason}.</source>
        <translation>“{name}”不是可用的 LoRA：{reason}。</translation>
    </message>
    <message>
        <source>Use the same LoRA as .safetensors.</source>
        <translation>请使用同一 LoRA 的 .safetensors 版本。</translation>
    </message>
    <message>
        <source>it says “{key}” twice</source>
        <translation>“{key}”出现了两次</translation>
    </message>
    <message>
        <source>it has no layers of these models; its first tensor is “{key}”</source>
        <translation>其中没有这些模型的层；第一个张量是“{key}”</translation>
    </message>
    <message>
        <source>its part for {layer} lacks one half ({half})</source>
        <translation>{layer} 的部分缺少一半（{half}）</translation>
    </message>
    <message>
        <source>its part for {layer} holds no numbers with fractions</source>
        <translation>{layer} 的部分不是浮点数</translation>
    </message>
    <message>
        <source>its halves for {layer} do not go together ({down} and {up})</source>
        <translation>{layer} 的两半不匹配（{down} 与 {up}）</translation>
    </message>
    <message>
        <source>its rank is {rank}, and {most} is the most</source>
        <translation>秩为 {rank}，最多为 {most}</translation>
    </message>
    <message>
        <source>“{key}” is not one number</source>
        <translation>“{key}”不是单个数值</translation>
    </message>
    <message>
        <source>its α for {layer} is no number that can be used</source>
        <translation>其中 {layer} 的 α 不是可用的数值</translation>
    </message>
    <message>
        <source>“{key}” is no number that can be used</source>
        <translation>“{key}”不是可用的数值</translation>
    </message>
    <message>
        <source>a LoRA for FLUX or Qwen-Image</source>
        <translation>适用于 FLUX 或 Qwen-Image 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for {name}</source>
        <translation>适用于 {name} 的 LoRA</translation>
    </message>
    <message>
        <source>a LoHa (a LyCORIS)</source>
        <translation>LoHa（一种 LyCORIS）</translation>
    </message>
    <message>
        <source>a LoKr (a LyCORIS)</source>
        <translation>LoKr（一种 LyCORIS）</translation>
    </message>
    <message>
        <source>a DoRA</source>
        <translation>DoRA</translation>
    </message>
    <message>
        <source>an OFT</source>
        <translation>OFT</translation>
    </message>
    <message>
        <source>a BOFT</source>
        <translation>BOFT</translation>
    </message>
    <message>
        <source>an IA³ (a LyCORIS)</source>
        <translation>IA³（一种 LyCORIS）</translation>
    </message>
    <message>
        <source>a GLoRA (a LyCORIS)</source>
        <translation>GLoRA（一种 LyCORIS）</translation>
    </message>
    <message>
        <source>a LoRA for Stable Cascade</source>
        <translation>适用于 Stable Cascade 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for Chroma</source>
        <translation>适用于 Chroma 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for FLUX or AuraFlow</source>
        <translation>适用于 FLUX 或 AuraFlow 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for HiDream</source>
        <translation>适用于 HiDream 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for FLUX or Hunyuan</source>
        <translation>适用于 FLUX 或 Hunyuan 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for Qwen-Image</source>
        <translation>适用于 Qwen-Image 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for Lumina or Z-Image</source>
        <translation>适用于 Lumina 或 Z-Image 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for PixArt or Sana</source>
        <translation>适用于 PixArt 或 Sana 的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for a video model</source>
        <translation>适用于视频模型的 LoRA</translation>
    </message>
    <message>
        <source>a LoRA for Wan or another video model</source>
        <translation>适用于 Wan 或其他视频模型的 LoRA</translation>
    </message>
    <message>
        <source>an IP-Adapter</source>
        <translation>IP-Adapter</translation>
    </message>
    <message>
        <source>a textual inversion: import it with “attune concepts import”</source>
        <translation>文本反演：请用“attune concepts import”导入</translation>
    </message>
    <message>
        <source>a whole model</source>
        <translation>完整模型</translation>
    </message>
    <message>
        <source>The LoRA “{name}” is for {given}, and {model} is {family}.</source>
        <translation>LoRA“{name}”适用于 {given}，而 {model} 是 {family}。</translation>
    </message>
    <message>
        <source>Choose a model of {given}, or another LoRA.</source>
        <translation>请选择 {given} 的模型，或换一个 LoRA。</translation>
    </message>
    <message>
        <source>There is no LoRA “{name}”.</source>
        <translation>没有名为“{name}”的 LoRA。</translation>
    </message>
    <message>
        <source>The LoRA “{name}” ({hash}), which this was made with, is not among yours.</source>
        <translation>制作时使用的 LoRA“{name}”（{hash}）不在你的列表中。</translation>
    </message>
    <message>
        <source>Add its file in the window or with “attune loras add”. {others}</source>
        <translation>请在窗口中或用“attune loras add”添加它的文件。{others}</translation>
    </message>
    <message>
        <source>The file of the LoRA “{name}” is gone: {path}.</source>
        <translation>LoRA“{name}”的文件已不存在：{path}。</translation>
    </message>
    <message>
        <source>Bring it back, or add it again where it is now.</source>
        <translation>请把它放回原处，或从现在的位置重新添加。</translation>
    </message>
    <message>
        <source>There is a LoRA “{name}” already.</source>
        <translation>已有名为“{name}”的 LoRA。</translation>
    </message>
    <message>
        <source>Choose another name, or remove that one first.</source>
        <translation>请换一个名称，或先移除原有的那个。</translation>
    </message>
    <message>
        <source>There is no LoRA in “{folder}”.</source>
        <translation>“{folder}”里没有 LoRA。</translation>
    </message>
    <message>
        <source>Add one first, with “attune loras add” or in the window.</source>
        <translation>请先用“attune loras add”或在窗口中添加一个。</translation>
    </message>
    <message>
        <source>list of LoRAs</source>
        <translation>LoRA 列表</translation>
    </message>
    <message>
        <source>The list of LoRAs</source>
        <translation>LoRA 列表</translation>
    </message>
    <message>
        <source>“{path}” cannot be read.</source>
        <translation>无法读取“{path}”。</translation>
    </message>
    <message>
        <source>Remove the file {path}, and add your LoRAs again.</source>
        <translation>请删除文件 {path}，然后重新添加你的 LoRA。</translation>
    </message>
    <message>
        <source>A LoRA</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>The LoRA “{name}” is named twice.</source>
        <translation>LoRA“{name}”被指定了两次。</translation>
    </message>
    <message>
        <source>Name it once, with one strength.</source>
        <translation>请只指定一次，并给出一个强度。</translation>
    </message>
    <message>
        <source>“{name}” cannot be the name of a LoRA.</source>
        <translation>“{name}”不能作为 LoRA 的名称。</translation>
    </message>
    <message>
        <source>Write letters or digits.</source>
        <translation>请使用字母或数字。</translation>
    </message>
    <message>
        <source>Photos {numbers} are nearly the same: what is around the subject is learnt with it. Keep one of them, and choose other places or sides.</source>
        <translation>照片 {numbers} 几乎相同：主体周围的东西也会被学进去。请只保留其中一张，并选择其他地点或角度的照片。</translation>
    </message>
    <message>
        <source>A word can only be learnt while the whole of {model} is in memory.</source>
        <translation>只有 {model} 整个在内存中时才能学习一个词。</translation>
    </message>
    <message>
        <source>What a concept is a kind of is a word of the language, and “{word}” is written as a concept is.</source>
        <translation>概念所属的种类应是语言中的词，而“{word}”是概念的写法。</translation>
    </message>
    <message>
        <source>Write one such as “{example}”.</source>
        <translation>请写一个词，例如“{example}”。</translation>
    </message>
    <message>
        <source>{samples} samples are too few to learn anything: one change and the losses around it take {needed}.</source>
        <translation>{samples} 个样本太少，什么也学不到：一次改变及其前后的损失就需要 {needed} 个。</translation>
    </message>
    <message>
        <source>Choose more samples, or a smaller batch or accumulation.</source>
        <translation>请选择更多样本，或减小批量或累积。</translation>
    </message>
    <message>
        <source>Nothing was gained: the word stands for no more than the “{kind}” that it began as. More samples or another learning rate may help.</source>
        <translation>没有学到新东西：该词所表示的仍只是开始时的“{kind}”。更多样本或另一个学习率也许有帮助。</translation>
    </message>
    <message>
        <source>The end of the prompt, “{words}”, is beyond what the T5 text encoder reads: CLIP alone reads it.</source>
        <translation>提示词的结尾“{words}”超出了 T5 文本编码器的读取范围：只有 CLIP 会读取。</translation>
    </message>
    <message>
        <source>Next to nothing has changed. Try another seed, other words, or another place for it.</source>
        <translation>画面几乎没有变化。请换一个种子、换个说法，或换个位置。</translation>
    </message>
    <message>
        <source>Next to nothing has changed. Try other words, or select the place for it.</source>
        <translation>几乎没有变化。请换一种说法，或选择要改变的位置。</translation>
    </message>
    <message>
        <source>Attributes are learnt from words of the language, and “{word}” is written as a concept is.</source>
        <translation>属性是从普通词语中学习的，而“{word}”是概念的写法。</translation>
    </message>
    <message>
        <source>Write what it is a kind of, such as “{example}”: its attributes are the concept&apos;s, too.</source>
        <translation>请写出它属于哪一类，例如“{example}”：该类的属性也适用于这个概念。</translation>
    </message>
    <message>
        <source>Learning diverged at once: what was learnt is of no use.</source>
        <translation>学习一开始就发散了：学到的内容没有用处。</translation>
    </message>
    <message>
        <source>The pictures before and after are the same.</source>
        <translation>前后两张图片是相同的。</translation>
    </message>
    <message>
        <source>Choose two that differ in the attribute alone.</source>
        <translation>请选择仅在该属性上有差别的两张图片。</translation>
    </message>
    <message>
        <source>{model} reads “{positive}” and “{negative}” alike: there is nothing to learn.</source>
        <translation>{model} 把“{positive}”和“{negative}”读成一样：没有可学的内容。</translation>
    </message>
    <message>
        <source>Choose other words, in shorter sentences.</source>
        <translation>请改用其他词语，并缩短句子。</translation>
    </message>
    <message>
        <source>The picture has one colour only: there is no structure in it that could be kept.</source>
        <translation>图片只有一种颜色：其中没有可以保留的结构。</translation>
    </message>
    <message>
        <source>The source prompt does not seem to fit the picture: the model understands it no better with “{prompt}” than without. Say what it shows, or leave it empty.</source>
        <translation>源提示词似乎与图片不符：有了“{prompt}”，模型对图片的理解并不比没有时更好。请说明图片的内容，或将其留空。</translation>
    </message>
    <message>
        <source>“Away from the source” does nothing without a source prompt.</source>
        <translation>没有原图提示词时，“远离原图”不起作用。</translation>
    </message>
    <message>
        <source>The subject of the source does nothing without a source prompt and a subject of the prompt.</source>
        <translation>没有原图提示词和提示词中的主体时，原图中的主体不起作用。</translation>
    </message>
    <message>
        <source>“Restart” does nothing here: it belongs to “One noised copy”.</source>
        <translation>“重启”在这里不起作用：它只用于“单一加噪副本”方式。</translation>
    </message>
    <message>
        <source>No word is left out of what the picture is to show.</source>
        <translation>画面要呈现的内容里没有少掉任何词。</translation>
    </message>
    <message>
        <source>Leave out what is to be removed, or select its place.</source>
        <translation>去掉要移除的内容的词，或者选中它所在的位置。</translation>
    </message>
    <message>
        <source>No word belongs to the change.</source>
        <translation>没有任何词属于这次改动。</translation>
    </message>
    <message>
        <source>Choose one of those that differ.</source>
        <translation>请在不同的词中选择一个。</translation>
    </message>
    <message>
        <source>“{path}” is a link to “{target}”, which is not there.</source>
        <translation>“{path}”是指向“{target}”的链接，而后者不存在。</translation>
    </message>
    <message>
        <source>Bring that back (is its drive connected?), or choose another file.</source>
        <translation>请恢复它（它所在的驱动器连接了吗？），或选择其他文件。</translation>
    </message>
    <message>
        <source>The negative prompt is too long; these words fell off: “{words}”.</source>
        <translation>负面提示词太长，以下词语未被读取：“{words}”。</translation>
    </message>
    <message>
        <source>{room} tokens are read and the negative prompt has {count}: shorten it.</source>
        <translation>最多读取 {room} 个词元，而负面提示词有 {count} 个：请缩短。</translation>
    </message>
    <message>
        <source>The prompt is too long; these words fell off: “{words}”.</source>
        <translation>提示词太长，以下词语未被读取：“{words}”。</translation>
    </message>
    <message>
        <source>{room} tokens are read and the prompt has {count}: shorten it.</source>
        <translation>最多读取 {room} 个词元，而提示词有 {count} 个：请缩短。</translation>
    </message>
    <message>
        <source>“{attribute}” of “{subject}” is set twice.</source>
        <translation>“{subject}”的“{attribute}”设置了两次。</translation>
    </message>
    <message>
        <source>Set it once, with one value.</source>
        <translation>请只设置一次，给一个值。</translation>
    </message>
    <message>
        <source>The subject “{subject}” is named twice.</source>
        <translation>主体“{subject}”写了两次。</translation>
    </message>
    <message>
        <source>Name it once; the second of two is called like “{subject}#2”.</source>
        <translation>请只写一次；两个之中的第二个写作“{subject}#2”。</translation>
    </message>
    <message>
        <source>The brackets around “{written}” multiply to a weight of more than {most}.</source>
        <translation>“{written}”外的括号相乘后权重超过 {most}。</translation>
    </message>
    <message>
        <source>Take some of them away, or write smaller numbers.</source>
        <translation>请去掉一些括号，或写较小的数字。</translation>
    </message>
    <message>
        <source>“{number}” in “{written}” is no weight.</source>
        <translation>“{written}”中的“{number}”不是有效的权重。</translation>
    </message>
    <message>
        <source>Write a number from 0 to {most}, such as (word:1.2), or a backslash before each bracket.</source>
        <translation>请写 0 到 {most} 之间的数字，例如 (word:1.2)，或在每个括号前加反斜杠。</translation>
    </message>
    <message>
        <source>Square brackets take no number: “{written}”.</source>
        <translation>方括号不能带数字：“{written}”。</translation>
    </message>
    <message>
        <source>Write (word:0.8) for less of a word, or a backslash before each bracket.</source>
        <translation>要减弱一个词，请写 (word:0.8)，或在每个括号前加反斜杠。</translation>
    </message>
    <message>
        <source>The “{bracket}” at sign {place} of the prompt has no “{missing}”: “{around}”.</source>
        <translation>提示词第 {place} 个字符处的“{bracket}”缺少“{missing}”：“{around}”。</translation>
    </message>
    <message>
        <source>Close it, or write a backslash before it.</source>
        <translation>请补上它，或在它前面加反斜杠。</translation>
    </message>
    <message>
        <source>one network in 8 bits</source>
        <translation>一个以 8 位存储的网络</translation>
    </message>
    <message>
        <source>Memory ran out with {model} before: {part} is there at a time.</source>
        <translation>此前使用 {model} 时内存不足：现在每次只保留{part}。</translation>
    </message>
    <message>
        <source>There are no LoRAs here.</source>
        <translation>这里没有 LoRA。</translation>
    </message>
    <message>
        <source>Leave “{name}” out.</source>
        <translation>请去掉“{name}”。</translation>
    </message>
    <message>
        <source>Close other programs, or choose a smaller model.</source>
        <translation>请关闭其他程序，或选择更小的模型。</translation>
    </message>
    <message>
        <source>it has a number of too many digits</source>
        <translation>其中有一个数字的位数过多</translation>
    </message>
    <message>
        <source>“{path}” is damaged: {reason}.</source>
        <translation>“{path}”已损坏：{reason}。</translation>
    </message>
    <message>
        <source>“{path}” holds {count} tensors: at most {most} are read.</source>
        <translation>“{path}”含有 {count} 个张量：最多读取 {most} 个。</translation>
    </message>
    <message>
        <source>It is damaged, or no model: choose another file.</source>
        <translation>它已损坏，或者不是模型：请选择其他文件。</translation>
    </message>
    <message>
        <source>The file</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>A mode</source>
        <translation>模式</translation>
    </message>
    <message>
        <source>model_bytes</source>
        <translation>model_bytes</translation>
    </message>
    <message>
        <source>bucket</source>
        <translation>bucket</translation>
    </message>
    <message>
        <source>memory_bytes</source>
        <translation>memory_bytes</translation>
    </message>
    <message>
        <source>Unknown storage “{name}”.</source>
        <translation>未知的存储方式“{name}”。</translation>
    </message>
    <message>
        <source>“{name}” holds no autoencoder (VAE): {file} is missing.</source>
        <translation>“{name}”不含自编码器 (VAE)：缺少 {file}。</translation>
    </message>
    <message>
        <source>Choose a .safetensors file, or a diffusers folder with config.json.</source>
        <translation>请选择 .safetensors 文件，或含 config.json 的 diffusers 文件夹。</translation>
    </message>
    <message>
        <source>“{name}” holds no autoencoder (VAE).</source>
        <translation>“{name}”不含自编码器 (VAE)。</translation>
    </message>
    <message>
        <source>Choose the file of an autoencoder, such as sdxl_vae.safetensors.</source>
        <translation>请选择自编码器的文件，例如 sdxl_vae.safetensors。</translation>
    </message>
    <message>
        <source>“{name}” has no {config} beside it.</source>
        <translation>“{name}”旁边没有 {config}。</translation>
    </message>
    <message>
        <source>Choose the whole folder of the autoencoder, or its file in the original layout.</source>
        <translation>请选择自编码器的整个文件夹，或其原始布局的文件。</translation>
    </message>
    <message>
        <source>“{name}” is an {kind}, which is not supported.</source>
        <translation>“{name}”是 {kind}，不受支持。</translation>
    </message>
    <message>
        <source>Choose an {known}.</source>
        <translation>请选择 {known}。</translation>
    </message>
    <message>
        <source>The autoencoder “{name}” has {given} channels in {levels} steps, the model takes {wanted} in {own}.</source>
        <translation>自编码器“{name}”有 {given} 个通道、{levels} 级，而模型需要 {wanted} 个通道、{own} 级。</translation>
    </message>
    <message>
        <source>Choose an autoencoder of the model&apos;s own family.</source>
        <translation>请选择与模型同系列的自编码器。</translation>
    </message>
    <message>
        <source>The folder of the pictures is missing.</source>
        <translation>缺少图片文件夹。</translation>
    </message>
    <message>
        <source>Choose it above.</source>
        <translation>请在上方选择。</translation>
    </message>
    <message>
        <source>The folder for the results is missing.</source>
        <translation>缺少结果文件夹。</translation>
    </message>
    <message>
        <source>The recipe has no step.</source>
        <translation>配方没有步骤。</translation>
    </message>
    <message>
        <source>Add one.</source>
        <translation>请添加一个。</translation>
    </message>
    <message>
        <source>checkpoint</source>
        <translation>检查点</translation>
    </message>
    <message>
        <source>This is being worked on already.</source>
        <translation>这项任务已经在进行。</translation>
    </message>
    <message>
        <source>Wait until it is done, or stop it there.</source>
        <translation>请等它完成，或在那边停止它。</translation>
    </message>
    <message>
        <source>A job of an earlier session cannot go on: {reason} It is kept as “{file}”.</source>
        <translation>上次的一项任务无法继续：{reason}它保存为“{file}”。</translation>
    </message>
    <message>
        <source>The {name} is damaged.</source>
        <translation>{name}已损坏。</translation>
    </message>
    <message>
        <source>The checkpoint is of another kind.</source>
        <translation>这个检查点属于另一种任务。</translation>
    </message>
    <message>
        <source>“{title}” was saved after this work was kept, so it is opened as a copy.</source>
        <translation>“{title}”在保留此工作之后又保存过，因此以副本打开。</translation>
    </message>
    <message>
        <source>Unsaved work of an earlier session cannot be restored: {reason} Its files are in “{folder}”.</source>
        <translation>无法恢复先前会话中未保存的工作：{reason}其文件位于“{folder}”。</translation>
    </message>
    <message>
        <source>Unsaved work of “{title}” was deleted: recovery takes too much room.</source>
        <translation>“{title}”未保存的工作已删除：恢复文件占用的空间过大。</translation>
    </message>
    <message>
        <source>A part of the recovery file is missing.</source>
        <translation>恢复文件缺少一部分。</translation>
    </message>
    <message>
        <source>A recovery file cannot be read: {reason}.</source>
        <translation>无法读取某个恢复文件：{reason}。</translation>
    </message>
    <message>
        <source>The recovery files cannot be read: {reason}.</source>
        <translation>无法读取恢复文件：{reason}。</translation>
    </message>
    <message>
        <source>{count} damaged parts of the picture are empty now.</source>
        <translation>图片中有 {count} 处损坏，这些部分现为空白。</translation>
    </message>
    <message>
        <source>The recovery file is damaged: {reason}.</source>
        <translation>恢复文件已损坏：{reason}。</translation>
    </message>
    <message>
        <source>The recovery file is damaged: it holds no object.</source>
        <translation>恢复文件已损坏：其中没有对象。</translation>
    </message>
    <message>
        <source>The recovery file was written by another version of Attune.</source>
        <translation>恢复文件由其他版本的 Attune 写入。</translation>
    </message>
    <message>
        <source>The recovery file names another number of tiles than the layer has.</source>
        <translation>恢复文件记录的图块数与图层不符。</translation>
    </message>
    <message>
        <source>A map of the recovery file has no name.</source>
        <translation>恢复文件中有注意力图缺少名称。</translation>
    </message>
    <message>
        <source>An input of the recovery file cannot be read.</source>
        <translation>无法读取恢复文件中的一项输入。</translation>
    </message>
    <message>
        <source>A tile of the recovery file does not fit.</source>
        <translation>恢复文件中有图块大小不符。</translation>
    </message>
    <message>
        <source>A part of the recovery file is damaged.</source>
        <translation>恢复文件的一部分已损坏。</translation>
    </message>
    <message>
        <source>A part of the recovery file is damaged: {reason}.</source>
        <translation>恢复文件的一部分已损坏：{reason}。</translation>
    </message>
    <message>
        <source>A layer of the recovery file cannot be read: {reason}.</source>
        <translation>无法读取恢复文件中的图层：{reason}。</translation>
    </message>
    <message>
        <source>A layer of the recovery file has an absurd size.</source>
        <translation>恢复文件中有图层尺寸异常。</translation>
    </message>
    <message>
        <source>Selections cannot be combined by “{mode}”.</source>
        <translation>选区不能以“{mode}”方式组合。</translation>
    </message>
    <message>
        <source>Use {modes}.</source>
        <translation>请使用 {modes}。</translation>
    </message>
    <message>
        <source>The distance is {radius:g} px: allowed is more than 0 and up to {most}.</source>
        <translation>距离为 {radius:g} 像素：应大于 0 且不超过 {most}。</translation>
    </message>
    <message>
        <source>The radius is {radius:g} px: allowed is more than 0 and up to {most}.</source>
        <translation>半径为 {radius:g} 像素：应大于 0 且不超过 {most}。</translation>
    </message>
    <message>
        <source>The threshold is {threshold:g}: allowed is more than 0 and up to 1.</source>
        <translation>阈值为 {threshold:g}：应大于 0 且不超过 1。</translation>
    </message>
    <message>
        <source>An attention map cannot have the shape {shape}.</source>
        <translation>注意力图的形状不能为 {shape}。</translation>
    </message>
    <message>
        <source>The softness is {softness:g}: allowed is 0 to 10.</source>
        <translation>柔和度为 {softness:g}：允许范围为 0 至 10。</translation>
    </message>
    <message>
        <source>The tolerance is {tolerance}: allowed is 0 to 255.</source>
        <translation>容差为 {tolerance}：允许范围为 0 至 255。</translation>
    </message>
    <message>
        <source>There is no attribute “{attribute}” for “{text}” on {model}.</source>
        <translation>在 {model} 上，“{text}”没有属性“{attribute}”。</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>现有：{names}。</translation>
    </message>
    <message>
        <source>Import a delta for it first.</source>
        <translation>请先为其导入增量。</translation>
    </message>
    <message>
        <source>Delay is {delay:g}: allowed is 0 to 1.</source>
        <translation>延迟为 {delay:g}：允许范围为 0 至 1。</translation>
    </message>
    <message>
        <source>This layer has no prompt and seed, so it has no sliders.</source>
        <translation>此图层没有提示词和种子，因此没有滑块。</translation>
    </message>
    <message>
        <source>This layer was not translated.</source>
        <translation>此图层不是转绘得到的。</translation>
    </message>
    <message>
        <source>Choose a layer that was.</source>
        <translation>请选择一个转绘图层。</translation>
    </message>
    <message>
        <source>Hold Alt or Ctrl and click on the part to copy.</source>
        <translation>请按住 Alt 或 Ctrl 键单击要复制的位置。</translation>
    </message>
    <message>
        <source>“{name}” is a text.</source>
        <translation>“{name}”是文字图层。</translation>
    </message>
    <message>
        <source>Layer “{name}” is hidden.</source>
        <translation>图层“{name}”已隐藏。</translation>
    </message>
    <message>
        <source>The document changed in the meantime, so nothing was transformed.</source>
        <translation>文档在此期间已更改，因此未变换任何内容。</translation>
    </message>
    <message>
        <source>There is nothing to transform.</source>
        <translation>没有可变换的内容。</translation>
    </message>
    <message>
        <source>The corners were pulled too far.</source>
        <translation>角点拉得过远。</translation>
    </message>
    <message>
        <source>Pull them back a little.</source>
        <translation>请稍微拉回一些。</translation>
    </message>
    <message>
        <source>Nothing of the layer is selected.</source>
        <translation>选区不包含该图层的内容。</translation>
    </message>
    <message>
        <source>Deselect, or choose another layer.</source>
        <translation>请取消选区，或选择其他图层。</translation>
    </message>
    <message>
        <source>The text would become too large.</source>
        <translation>文字会变得过大。</translation>
    </message>
    <message>
        <source>Choose a smaller size.</source>
        <translation>请选择更小的尺寸。</translation>
    </message>
    <message>
        <source>Attention was collected for {count} picture sizes.</source>
        <translation>收集了 {count} 种图片尺寸的注意力。</translation>
    </message>
    <message>
        <source>Collect it for exactly one.</source>
        <translation>请只收集一种尺寸。</translation>
    </message>
    <message>
        <source>The tap at {place} was never reached ({missing} of {count} places).</source>
        <translation>从未经过 {place} 处的探针（{count} 处中的 {missing} 处）。</translation>
    </message>
    <message>
        <source>Run the denoiser while the tap is open, and tap layers that compute attention.</source>
        <translation>请在探针打开时运行去噪网络，并选取计算注意力的层。</translation>
    </message>
    <message>
        <source>No layer of this model matches {names} ({kinds} attention).</source>
        <translation>此模型没有与 {names} 匹配的层（{kinds} 注意力）。</translation>
    </message>
    <message>
        <source>Choose other layers for this model.</source>
        <translation>请为此模型选择其他层。</translation>
    </message>
    <message>
        <source>No part of this model is called “{pattern}”.</source>
        <translation>此模型没有名为“{pattern}”的部分。</translation>
    </message>
    <message>
        <source>It has {count} parts.</source>
        <translation>它有 {count} 个部分。</translation>
    </message>
    <message>
        <source>The tap asks for nothing.</source>
        <translation>探针没有指定内容。</translation>
    </message>
    <message>
        <source>Name kinds of attention or features.</source>
        <translation>请指定注意力或特征的类型。</translation>
    </message>
    <message>
        <source>The learnt word “{word}” ({given}) does not fit {model}, which takes {taken}.</source>
        <translation>学得的词“{word}”({given}) 不适用于 {model}，后者需要 {taken}。</translation>
    </message>
    <message>
        <source>Choose a word that was learnt for this model&apos;s family.</source>
        <translation>请选择为此类模型学得的词。</translation>
    </message>
    <message>
        <source>Words can only be learnt while the whole model is in memory; the memory mode is {mode}.</source>
        <translation>只有整个模型都在内存中时才能学习词语；当前内存模式为 {mode}。</translation>
    </message>
    <message>
        <source>Choose the memory mode “{full}”, or a smaller model.</source>
        <translation>请选择内存模式“{full}”，或较小的模型。</translation>
    </message>
    <message>
        <source>width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>The {name} is {size}: this model needs a multiple of {unit}.</source>
        <translation>{name}为 {size}：此模型需要 {unit} 的倍数。</translation>
    </message>
    <message>
        <source>The nearest is {nearest}.</source>
        <translation>最接近的是 {nearest}。</translation>
    </message>
    <message>
        <source>{width} × {height} is too large for this model.</source>
        <translation>{width} × {height} 对此模型过大。</translation>
    </message>
    <message>
        <source>It takes at most {most} × {most}.</source>
        <translation>最大为 {most} × {most}。</translation>
    </message>
    <message>
        <source>“{text}” has control characters.</source>
        <translation>“{text}”含有控制字符。</translation>
    </message>
    <message>
        <source>delta</source>
        <translation>增量</translation>
    </message>
    <message>
        <source>Begin again.</source>
        <translation>请从头开始。</translation>
    </message>
    <message>
        <source>There is not enough memory for learning with {model}.</source>
        <translation>内存不足，无法用 {model} 学习。</translation>
    </message>
    <message>
        <source>Switch “Low memory” on, close other programs, or choose a smaller model.</source>
        <translation>请打开“节省内存”，关闭其他程序，或选择更小的模型。</translation>
    </message>
    <message>
        <source>Learning diverged at once: the loss is not finite any more.</source>
        <translation>学习一开始就发散了：损失不再是有限值。</translation>
    </message>
    <message>
        <source>Choose a lower learning rate.</source>
        <translation>请选择更低的学习率。</translation>
    </message>
    <message>
        <source>Learning diverged at step {step} of {steps}; kept is what was learnt until step {good}. A lower learning rate may help.</source>
        <translation>学习在第 {step}/{steps} 步发散；保留了到第 {good} 步为止的结果。降低学习率可能有帮助。</translation>
    </message>
    <message>
        <source>The checkpoint does not fit the run.</source>
        <translation>检查点与这次运行不符。</translation>
    </message>
    <message>
        <source>The checkpoint is of another run.</source>
        <translation>检查点属于另一次运行。</translation>
    </message>
    <message>
        <source>The checkpoint does not fit the model.</source>
        <translation>检查点与模型不符。</translation>
    </message>
    <message>
        <source>The checkpoint holds numbers that are not finite.</source>
        <translation>检查点中有非有限的数值。</translation>
    </message>
    <message>
        <source>Attune reads Stable Diffusion 1.x, 2.x, XL and 3 as a diffusers folder or one .safetensors file.</source>
        <translation>Attune 可读取 Stable Diffusion 1.x、2.x、XL 和 3，须为 diffusers 文件夹或单个 .safetensors 文件。</translation>
    </message>
    <message>
        <source>a Flux model</source>
        <translation>Flux 模型</translation>
    </message>
    <message>
        <source>a ControlNet</source>
        <translation>ControlNet</translation>
    </message>
    <message>
        <source>a textual inversion, an addition to a model</source>
        <translation>文本反演（模型的附加文件）</translation>
    </message>
    <message>
        <source>an attribute delta (import it with “attune deltas import”)</source>
        <translation>属性增量（请用“attune deltas import”导入）</translation>
    </message>
    <message>
        <source>an animation model</source>
        <translation>动画模型</translation>
    </message>
    <message>
        <source>a Stable Cascade model</source>
        <translation>Stable Cascade 模型</translation>
    </message>
    <message>
        <source>an autoencoder</source>
        <translation>自编码器</translation>
    </message>
    <message>
        <source>“{folder}” is not a model: it has no model_index.json.</source>
        <translation>“{folder}”不是模型：其中没有 model_index.json。</translation>
    </message>
    <message>
        <source>{supported} Choose the folder itself.</source>
        <translation>{supported}请选择文件夹本身。</translation>
    </message>
    <message>
        <source>“{name}” is a {kind}, which is not supported.</source>
        <translation>“{name}”是 {kind}，不受支持。</translation>
    </message>
    <message>
        <source>nameless pipeline</source>
        <translation>未命名的管线</translation>
    </message>
    <message>
        <source>“{name}” is a refiner, not a model of its own.</source>
        <translation>“{name}”是精炼模型，不能单独使用。</translation>
    </message>
    <message>
        <source>Choose the base model.</source>
        <translation>请选择基础模型。</translation>
    </message>
    <message>
        <source>“{name}” is a {suffix} file, which can run code when it is opened.</source>
        <translation>“{name}”是 {suffix} 文件，打开时可能会运行代码。</translation>
    </message>
    <message>
        <source>Use the same model as .safetensors.</source>
        <translation>请使用同一模型的 .safetensors 版本。</translation>
    </message>
    <message>
        <source>of an unknown kind</source>
        <translation>未知类型</translation>
    </message>
    <message>
        <source>“{name}” is {kind}, which is not supported here.</source>
        <translation>“{name}”是{kind}，此处不支持。</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>请选择其他文件。</translation>
    </message>
    <message>
        <source>“{word}” cannot be a learnt word.</source>
        <translation>“{word}”不能作为学得的词。</translation>
    </message>
    <message>
        <source>Give it letters or signs.</source>
        <translation>请使用字母或符号。</translation>
    </message>
    <message>
        <source>The learnt word “{word}” has no vectors.</source>
        <translation>学得的词“{word}”没有向量。</translation>
    </message>
    <message>
        <source>The learnt word “{word}” has different numbers of vectors: {counts}.</source>
        <translation>学得的词“{word}”的向量数不一致：{counts}。</translation>
    </message>
    <message>
        <source>Every encoder needs as many.</source>
        <translation>每个编码器需要的数量相同。</translation>
    </message>
    <message>
        <source>Two learnt words are called “{word}”.</source>
        <translation>有两个学得的词都叫“{word}”。</translation>
    </message>
    <message>
        <source>Call one of them otherwise.</source>
        <translation>请为其中一个改名。</translation>
    </message>
    <message>
        <source>detection</source>
        <translation>检测</translation>
    </message>
    <message>
        <source>“{model}” cannot be used as a detection model: it is of the kind “{kind}”.</source>
        <translation>“{model}”不能用作检测模型：它的类型是“{kind}”。</translation>
    </message>
    <message>
        <source>“{model}” cannot be used as a {kind} model: it is not on this machine.</source>
        <translation>“{model}”不能用作{kind}模型：本机没有它。</translation>
    </message>
    <message>
        <source>Name a folder with a config.json, or a model of the hub that is in its cache.</source>
        <translation>请指定含有 config.json 的文件夹，或缓存中已有的 Hub 模型。</translation>
    </message>
    <message>
        <source>“{model}” is incomplete: {count} tensors are missing or of another shape, such as {name}.</source>
        <translation>“{model}”不完整：有 {count} 个张量缺失或形状不符，例如 {name}。</translation>
    </message>
    <message>
        <source>“{model}” cannot be used as a {kind} model: {reason}</source>
        <translation>“{model}”不能用作{kind}模型：{reason}</translation>
    </message>
    <message>
        <source>Added are: {known}.</source>
        <translation>已添加的有：{known}。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: it lists no models.</source>
        <translation>“{path}”已损坏：其中没有模型列表。</translation>
    </message>
    <message>
        <source>Your models are not listed. Add them again: the old list is kept as {name}.</source>
        <translation>您的模型未列出。请重新添加：旧列表已保存为 {name}。</translation>
    </message>
    <message>
        <source>A model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>“{path}” holds {count} models that cannot be read.</source>
        <translation>“{path}”中有 {count} 个模型无法读取。</translation>
    </message>
    <message>
        <source>Add them again.</source>
        <translation>请重新添加。</translation>
    </message>
    <message>
        <source>The model “{name}” (weights {hash}) is not in your list of models.</source>
        <translation>模型“{name}”（权重 {hash}）不在您的模型列表中。</translation>
    </message>
    <message>
        <source>If you have it, add it under Models in the window or with “attune models add”. There are: {known}.</source>
        <translation>如果您有该模型，请在窗口的“模型”中或用“attune models add”添加。现有：{known}。</translation>
    </message>
    <message>
        <source>There is no model “{name}” in your list of models.</source>
        <translation>您的模型列表中没有模型“{name}”。</translation>
    </message>
    <message>
        <source>There are: {known}. Others are added under Models in the window or with “attune models add”.</source>
        <translation>现有：{known}。其他模型可在窗口的“模型”中或用“attune models add”添加。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: its defaults are no numbers.</source>
        <translation>“{path}”已损坏：其默认值不是数字。</translation>
    </message>
    <message>
        <source>“{names}” is missing.</source>
        <translation>缺少“{names}”。</translation>
    </message>
    <message>
        <source>The request</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>The recipe lacks &apos;{name}&apos;.</source>
        <translation>生成参数缺少“{name}”。</translation>
    </message>
    <message>
        <source>“{operation}” does not work with {model} ({family}).</source>
        <translation>“{operation}”不能用于 {model} ({family})。</translation>
    </message>
    <message>
        <source>“{operation}” lacks what belongs to it: {what}.</source>
        <translation>“{operation}”缺少所需的内容：{what}。</translation>
    </message>
    <message>
        <source>Give it again.</source>
        <translation>请重新提供。</translation>
    </message>
    <message>
        <source>{what} is not what the request names.</source>
        <translation>{what}不是请求中指定的内容。</translation>
    </message>
    <message>
        <source>{name} is {value}: {reason}.</source>
        <translation>{name}为 {value}：{reason}。</translation>
    </message>
    <message>
        <source>a number of many digits</source>
        <translation>一个位数很多的数字</translation>
    </message>
    <message>
        <source>The {name} is too long: {count} bytes.</source>
        <translation>{name}过长：{count} 字节。</translation>
    </message>
    <message>
        <source>The {name} is no JSON: {reason}.</source>
        <translation>{name}不是 JSON：{reason}。</translation>
    </message>
    <message>
        <source>expected an object</source>
        <translation>应为对象</translation>
    </message>
    <message>
        <source>expected a list</source>
        <translation>应为列表</translation>
    </message>
    <message>
        <source>{name} has {count} items: allowed are {most}.</source>
        <translation>{name}有 {count} 项：最多允许 {most} 项。</translation>
    </message>
    <message>
        <source>{name} has {count} characters: allowed are {most}.</source>
        <translation>{name}有 {count} 个字符：最多允许 {most} 个。</translation>
    </message>
    <message>
        <source>it has half a character</source>
        <translation>其中有不完整的字符</translation>
    </message>
    <message>
        <source>{name} has {count} items: expected {wanted}.</source>
        <translation>{name}有 {count} 项：应为 {wanted} 项。</translation>
    </message>
    <message>
        <source>{name} is incomplete: it lacks {missing}.</source>
        <translation>{name}不完整：缺少 {missing}。</translation>
    </message>
    <message>
        <source>expected a number of at most 64 bits</source>
        <translation>应为不超过 64 位的数字</translation>
    </message>
    <message>
        <source>The check of “{name}” ended before it was done.</source>
        <translation>对“{name}”的检查未完成就结束了。</translation>
    </message>
    <message>
        <source>“{model}” is damaged: the weights of {tensor} hold values that are no numbers.</source>
        <translation>“{model}”已损坏：{tensor} 的权重中有不是数字的值。</translation>
    </message>
    <message>
        <source>“{name}” is a PyTorch file, which can run code when it is opened.</source>
        <translation>“{name}”是 PyTorch 文件，打开时可能运行代码。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: its header says of “{tensor}” what cannot be.</source>
        <translation>“{path}”已损坏：文件头中关于“{tensor}”的内容不可能成立。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: it has {count} bytes too many.</source>
        <translation>“{path}”已损坏：多出 {count} 字节。</translation>
    </message>
    <message>
        <source>“{name}” is not a safetensors file.</source>
        <translation>“{name}”不是 safetensors 文件。</translation>
    </message>
    <message>
        <source>“{path}” is not there any more.</source>
        <translation>“{path}”已不存在。</translation>
    </message>
    <message>
        <source>“{name}” has its {part} only as {pickled}, which can run code when it is opened.</source>
        <translation>“{name}”的 {part} 只有 {pickled}，打开时可能会运行代码。</translation>
    </message>
    <message>
        <source>“{name}” is incomplete: {part}/{stem}.safetensors is missing.</source>
        <translation>“{name}”不完整：缺少 {part}/{stem}.safetensors。</translation>
    </message>
    <message>
        <source>Copy or download it again.</source>
        <translation>请重新复制或下载。</translation>
    </message>
    <message>
        <source>“{folder}” is incomplete: {name} is missing.</source>
        <translation>“{folder}”不完整：缺少 {name}。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: it is no JSON.</source>
        <translation>“{path}”已损坏：不是 JSON。</translation>
    </message>
    <message>
        <source>“{name}” is incomplete: {part}/config.json is missing.</source>
        <translation>“{name}”不完整：缺少 {part}/config.json。</translation>
    </message>
    <message>
        <source>“{name}” is incomplete: {part}/{file_name} is missing.</source>
        <translation>“{name}”不完整：缺少 {part}/{file_name}。</translation>
    </message>
    <message>
        <source>“{name}” is incomplete: {part}/tokenizer.json is missing.</source>
        <translation>“{name}”不完整：缺少 {part}/tokenizer.json。</translation>
    </message>
    <message>
        <source>“{path}” is cut off: it has {size} bytes.</source>
        <translation>“{path}”被截断：只有 {size} 字节。</translation>
    </message>
    <message>
        <source>“{path}” is cut off: it has {size} of {expected} bytes.</source>
        <translation>“{path}”被截断：{expected} 字节中只有 {size} 字节。</translation>
    </message>
    <message>
        <source>“{file}” is damaged: {reason}.</source>
        <translation>“{file}”已损坏：{reason}。</translation>
    </message>
    <message>
        <source>Delete it; the steps it held can be chosen again.</source>
        <translation>请将其删除；其中的步可以重新选择。</translation>
    </message>
    <message>
        <source>“{file}” holds no readable step.</source>
        <translation>“{file}”中没有可读取的步。</translation>
    </message>
    <message>
        <source>Delete it and choose the step again.</source>
        <translation>请将其删除并重新选择步。</translation>
    </message>
    <message>
        <source>“{file}” holds step {step} of {steps}.</source>
        <translation>“{file}”中记录的是 {steps} 步中的第 {step} 步。</translation>
    </message>
    <message>
        <source>Choose the step again.</source>
        <translation>请重新选择步。</translation>
    </message>
    <message>
        <source>It needs {required}.</source>
        <translation>需要：{required}。</translation>
    </message>
    <message>
        <source>The definition “{name}” lacks {missing}.</source>
        <translation>定义“{name}”缺少 {missing}。</translation>
    </message>
    <message>
        <source>The definition “{name}” has the unknown {unknown}.</source>
        <translation>定义“{name}”中有未知的 {unknown}。</translation>
    </message>
    <message>
        <source>The definition “{name}” is not right: {reason}.</source>
        <translation>定义“{name}”有误：{reason}。</translation>
    </message>
    <message>
        <source>Compare it with deltas/README.md.</source>
        <translation>请对照 deltas/README.md。</translation>
    </message>
    <message>
        <source>It must be a TOML file in UTF-8.</source>
        <translation>须为 UTF-8 编码的 TOML 文件。</translation>
    </message>
    <message>
        <source>The delta “{key}” ({widths}) does not fit {model}, which takes {taken}.</source>
        <translation>增量“{key}”({widths}) 不适用于 {model}，后者需要 {taken}。</translation>
    </message>
    <message>
        <source>Choose a delta that was made for this model.</source>
        <translation>请选择为此模型制作的增量。</translation>
    </message>
    <message>
        <source>Choose one of: {keys}.</source>
        <translation>可选：{keys}。</translation>
    </message>
    <message>
        <source>There is more than one delta “{name}” to export.</source>
        <translation>可导出的增量“{name}”不止一个。</translation>
    </message>
    <message>
        <source>The delta “{name}” has no file to export.</source>
        <translation>增量“{name}”没有可导出的文件。</translation>
    </message>
    <message>
        <source>There is no delta “{name}”.</source>
        <translation>没有增量“{name}”。</translation>
    </message>
    <message>
        <source>another model</source>
        <translation>其他模型</translation>
    </message>
    <message>
        <source>The delta “{key}” was made for {made_for} ({widths}) and does not fit {name}.</source>
        <translation>增量“{key}”是为 {made_for} ({widths}) 制作的，不适用于 {name}。</translation>
    </message>
    <message>
        <source>Choose a .safetensors or .pt delta.</source>
        <translation>请选择 .safetensors 或 .pt 增量文件。</translation>
    </message>
    <message>
        <source>it has {size:.0f} MiB, a delta a few KiB</source>
        <translation>文件为 {size:.0f} MiB，而增量只有几 KiB</translation>
    </message>
    <message>
        <source>“{name}” is no delta.</source>
        <translation>“{name}”不是增量。</translation>
    </message>
    <message>
        <source>Choose a .safetensors or .pt file.</source>
        <translation>请选择 .safetensors 或 .pt 文件。</translation>
    </message>
    <message>
        <source>“{name}” was refused: reading it would run code, or it is damaged.</source>
        <translation>已拒绝“{name}”：读取它会运行代码，或文件已损坏。</translation>
    </message>
    <message>
        <source>Ask its author for a safetensors file, or for one that holds tensors only.</source>
        <translation>请向作者索取 safetensors 文件，或只含张量的文件。</translation>
    </message>
    <message>
        <source>it is damaged or of another kind</source>
        <translation>文件已损坏或属于其他类型</translation>
    </message>
    <message>
        <source>it holds a {kind}</source>
        <translation>其中是 {kind}</translation>
    </message>
    <message>
        <source>“{key}” is no vector</source>
        <translation>“{key}”不是向量</translation>
    </message>
    <message>
        <source>it is damaged</source>
        <translation>文件已损坏</translation>
    </message>
    <message>
        <source>it has the keys {unknown}; known are {known}</source>
        <translation>其中的键为 {unknown}；已知的键为 {known}</translation>
    </message>
    <message>
        <source>it is empty; known keys are {known}</source>
        <translation>文件为空；已知的键为 {known}</translation>
    </message>
    <message>
        <source>the part for {encoder} has the shape {shape}, not one vector</source>
        <translation>{encoder} 的部分形状为 {shape}，不是单个向量</translation>
    </message>
    <message>
        <source>the part for {encoder} holds numbers that are not finite</source>
        <translation>{encoder} 的部分含有非有限数值</translation>
    </message>
    <message>
        <source>it has other keys</source>
        <translation>其中的键不同</translation>
    </message>
    <message>
        <source>There is no attribute “{attribute}” for “{subject}” on {name}.</source>
        <translation>在 {name} 上，“{subject}”没有属性“{attribute}”。</translation>
    </message>
    <message>
        <source>There are no attributes for “{subject}” on {name}.</source>
        <translation>在 {name} 上，“{subject}”没有属性。</translation>
    </message>
    <message>
        <source>There are some for words such as: {words}.</source>
        <translation>有属性的词例如：{words}。</translation>
    </message>
    <message>
        <source>Import or learn a delta first.</source>
        <translation>请先导入或学习增量。</translation>
    </message>
    <message>
        <source>“{name}” is no attribute delta: {reason}.</source>
        <translation>“{name}”不是属性增量：{reason}。</translation>
    </message>
    <message>
        <source>“{model}” is no detection model: {path} names no kinds.</source>
        <translation>“{model}”不是检测模型：{path} 中没有列出类别。</translation>
    </message>
    <message>
        <source>Choose another in Settings.</source>
        <translation>请在“设置”中选择其他模型。</translation>
    </message>
    <message>
        <source>The detection model “{model}” is not on this machine.</source>
        <translation>本机没有检测模型“{model}”。</translation>
    </message>
    <message>
        <source>There is no file “{name}”.</source>
        <translation>没有文件“{name}”。</translation>
    </message>
    <message>
        <source>Is it spelt right?</source>
        <translation>拼写是否正确？</translation>
    </message>
    <message>
        <source>“{name}” is neither a command nor a file.</source>
        <translation>“{name}”既不是命令也不是文件。</translation>
    </message>
    <message>
        <source>Commands are: {commands}.</source>
        <translation>可用命令：{commands}。</translation>
    </message>
    <message>
        <source>The working directory is not there any more.</source>
        <translation>工作目录已不存在。</translation>
    </message>
    <message>
        <source>Go to another folder.</source>
        <translation>请转到其他文件夹。</translation>
    </message>
    <message>
        <source>interrupted.</source>
        <translation>已中断。</translation>
    </message>
    <message>
        <source>There is not enough memory.</source>
        <translation>内存不足。</translation>
    </message>
    <message>
        <source>Close other programs.</source>
        <translation>请关闭其他程序。</translation>
    </message>
    <message>
        <source>The system refused: {reason}.</source>
        <translation>系统拒绝：{reason}。</translation>
    </message>
    <message>
        <source>“{path}”: {reason}.</source>
        <translation>系统拒绝使用“{path}”：{reason}。</translation>
    </message>
    <message>
        <source>Something went wrong inside Attune ({kind}: {reason}).</source>
        <translation>Attune 内部出错（{kind}：{reason}）。</translation>
    </message>
    <message>
        <source>Nothing was written. Please report it; {variable}=1 shows where it happened.</source>
        <translation>未写入任何内容。请报告此问题；设置 {variable}=1 可显示出错位置。</translation>
    </message>
    <message>
        <source>{flag} holds bytes that are no text.</source>
        <translation>{flag} 中有不是文字的字节。</translation>
    </message>
    <message>
        <source>Type it anew.</source>
        <translation>请重新输入。</translation>
    </message>
    <message>
        <source>Most attributes go from -2 to 2; “attune deltas list” shows it.</source>
        <translation>多数属性的范围是 -2 至 2；“attune deltas list”可显示范围。</translation>
    </message>
    <message>
        <source>There is no folder “{path}”.</source>
        <translation>没有文件夹“{path}”。</translation>
    </message>
    <message>
        <source>“{path}” is a pipe, a device or a link to one.</source>
        <translation>“{path}”是管道、设备或指向它们的链接。</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>请选择其他名称。</translation>
    </message>
    <message>
        <source>The name “{name}” is too long.</source>
        <translation>名称“{name}”过长。</translation>
    </message>
    <message>
        <source>Choose one of at most {most} bytes.</source>
        <translation>请选择不超过 {most} 字节的名称。</translation>
    </message>
    <message>
        <source>The output could not be written: standard output is closed.</source>
        <translation>无法写入输出：标准输出已关闭。</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>无法写入输出：{reason}。</translation>
    </message>
    <message>
        <source>“{name}” is read-only.</source>
        <translation>“{name}”为只读。</translation>
    </message>
    <message>
        <source>Another program has changed “{name}” since it was exported here.</source>
        <translation>“{name}”在此处导出后已被其他程序更改。</translation>
    </message>
    <message>
        <source>Export under another name, or remove the file.</source>
        <translation>请以其他名称导出，或移除该文件。</translation>
    </message>
    <message>
        <source>“{what}” is missing.</source>
        <translation>缺少“{what}”。</translation>
    </message>
    <message>
        <source>Choose one.</source>
        <translation>请选择一个。</translation>
    </message>
    <message>
        <source>The active layer has no pixels of its own.</source>
        <translation>当前图层没有自己的像素。</translation>
    </message>
    <message>
        <source>Select the part that may change.</source>
        <translation>请选择可以更改的部分。</translation>
    </message>
    <message>
        <source>The document</source>
        <translation>文档</translation>
    </message>
    <message>
        <source>A layer</source>
        <translation>图层</translation>
    </message>
    <message>
        <source>A mask</source>
        <translation>蒙版</translation>
    </message>
    <message>
        <source>The description of the source</source>
        <translation>来源说明</translation>
    </message>
    <message>
        <source>The file has an unknown adjustment “{name}”.</source>
        <translation>文件中有未知的调整“{name}”。</translation>
    </message>
    <message>
        <source>A part of the file</source>
        <translation>文件的一部分</translation>
    </message>
    <message>
        <source>expected base64</source>
        <translation>应为 base64</translation>
    </message>
    <message>
        <source>The picture has a high dynamic range ({hdr}, {name}); its values were taken as sRGB, so it looks flat.</source>
        <translation>图片具有高动态范围（{hdr}，{name}）；其数值按 sRGB 处理，因此看起来较平淡。</translation>
    </message>
    <message>
        <source>The picture&apos;s colour space (code points {primaries}/{transfer}) is not known; sRGB was taken.</source>
        <translation>图片的色彩空间（代码 {primaries}/{transfer}）未知；已按 sRGB 处理。</translation>
    </message>
    <message>
        <source>The picture&apos;s gamma or chromaticities make no sense and were left out; sRGB was taken.</source>
        <translation>图片的伽马值或色度不合理，已略去；已按 sRGB 处理。</translation>
    </message>
    <message>
        <source>“{name}” has more pixels than Attune opens, which are {most} megapixels.</source>
        <translation>“{name}”的像素超过 Attune 可打开的上限 {most} 百万像素。</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that Attune does not read: {reason}.</source>
        <translation>“{name}”的类型 Attune 无法读取：{reason}。</translation>
    </message>
    <message>
        <source>Save it in another way with another program.</source>
        <translation>请用其他程序以其他方式保存。</translation>
    </message>
    <message>
        <source>The file ends early; what is missing was left grey.</source>
        <translation>文件提前结束；缺失的部分显示为灰色。</translation>
    </message>
    <message>
        <source>“{name}” in the file is no PNG picture.</source>
        <translation>文件中的“{name}”不是 PNG 图片。</translation>
    </message>
    <message>
        <source>What the project says beside its pixels has {size} MiB; {most} are possible.</source>
        <translation>项目除像素外的内容有 {size} MiB；最多可为 {most} MiB。</translation>
    </message>
    <message>
        <source>Delete some layers with long texts or recipes.</source>
        <translation>请删除一些文字或生成参数很长的图层。</translation>
    </message>
    <message>
        <source>description</source>
        <translation>说明</translation>
    </message>
    <message>
        <source>What Attune added to the file, such as recipes, cannot be read: {reason}</source>
        <translation>无法读取 Attune 写入文件的内容，例如生成参数：{reason}</translation>
    </message>
    <message>
        <source>Masks, adjustments, texts and recipes of the file cannot be read; layers that look the same were opened instead: {reason}</source>
        <translation>无法读取文件中的蒙版、调整、文字和生成参数；已改为打开外观相同的图层：{reason}</translation>
    </message>
    <message>
        <source>“{name}” was left out: {reason}</source>
        <translation>已略去“{name}”：{reason}</translation>
    </message>
    <message>
        <source>The layer names no picture.</source>
        <translation>图层没有指定图片。</translation>
    </message>
    <message>
        <source>“{name}” uses the blend mode “{given}”, which is shown as {label}.</source>
        <translation>“{name}”使用混合模式“{given}”，显示为“{label}”。</translation>
    </message>
    <message>
        <source>“{name}” of a {tag} is {value}: allowed is {low} to {high}.</source>
        <translation>{tag} 的“{name}”为 {value}：允许 {low} 至 {high}。</translation>
    </message>
    <message>
        <source>“{name}” is damaged: a level cannot be {top}.</source>
        <translation>“{name}”已损坏：色阶不能为 {top}。</translation>
    </message>
    <message>
        <source>The picture has a high dynamic range; what is brighter than white was cut off.</source>
        <translation>图片具有高动态范围；比白色更亮的部分已被裁去。</translation>
    </message>
    <message>
        <source>Damaged or too long parts of the file beside its pixels were left out: {names}.</source>
        <translation>文件中除像素外损坏或过长的部分已略去：{names}。</translation>
    </message>
    <message>
        <source>A layer was left out: {reason}</source>
        <translation>已略去一个图层：{reason}</translation>
    </message>
    <message>
        <source>A layer uses the unknown blend mode “{shown}”, which is shown as normal.</source>
        <translation>有图层使用未知的混合模式“{shown}”，显示为正常。</translation>
    </message>
    <message>
        <source>The layers look different than in Photoshop. “{name}” is what Photoshop shows; hide it and show the group “{layers}” to see and edit them.</source>
        <translation>图层的外观与 Photoshop 中不同。“{name}”是 Photoshop 显示的内容；隐藏它并显示组“{layers}”即可查看和编辑图层。</translation>
    </message>
    <message>
        <source>Texts of the file that are longer than a project can carry were left out.</source>
        <translation>文件中超出项目可容纳长度的文字已略去。</translation>
    </message>
    <message>
        <source>The raw picture was developed with the camera&apos;s white balance; exposure was set by itself.</source>
        <translation>原始图片已按相机的白平衡显影；曝光为自动设置。</translation>
    </message>
    <message>
        <source>Choose TIFF, PNG or JPEG.</source>
        <translation>请选择 TIFF、PNG 或 JPEG。</translation>
    </message>
    <message>
        <source>transparency masks</source>
        <translation>透明蒙版</translation>
    </message>
    <message>
        <source>LogL brightness</source>
        <translation>对数亮度</translation>
    </message>
    <message>
        <source>LogLuv colours</source>
        <translation>对数色彩</translation>
    </message>
    <message>
        <source>Parts of the picture are missing in the file; they were left black.</source>
        <translation>文件中缺少图片的某些部分；这些部分显示为黑色。</translation>
    </message>
    <message>
        <source>the compression {name}</source>
        <translation>压缩方式 {name}</translation>
    </message>
    <message>
        <source>colours of kind {kind}</source>
        <translation>类型为 {kind} 的颜色</translation>
    </message>
    <message>
        <source>pictures with depth</source>
        <translation>带深度的图片</translation>
    </message>
    <message>
        <source>{bits} bits a channel</source>
        <translation>每通道 {bits} 位</translation>
    </message>
    <message>
        <source>TIFF with {what} is not supported.</source>
        <translation>不支持此类 TIFF：{what}。</translation>
    </message>
    <message>
        <source>Save it in another way.</source>
        <translation>请以其他方式保存。</translation>
    </message>
    <message>
        <source>The picture has {found} channels where its colours need {needed}.</source>
        <translation>图片有 {found} 个通道，而其颜色需要 {needed} 个。</translation>
    </message>
    <message>
        <source>Values above white were cut off: the picture was opened with 16 bits a channel.</source>
        <translation>高于白色的数值已被裁去：图片以每通道 16 位打开。</translation>
    </message>
    <message>
        <source>The picture&apos;s palette is missing.</source>
        <translation>缺少图片的调色板。</translation>
    </message>
    <message>
        <source>Pictures in other inks than CMYK are not supported.</source>
        <translation>不支持使用 CMYK 以外油墨的图片。</translation>
    </message>
    <message>
        <source>Convert it to RGB first.</source>
        <translation>请先将其转换为 RGB。</translation>
    </message>
    <message>
        <source>The picture was converted from CMYK to sRGB.</source>
        <translation>图片已从 CMYK 转换为 sRGB。</translation>
    </message>
    <message>
        <source>Lab colours of {bits} bits of this kind are not supported.</source>
        <translation>不支持这种 {bits} 位的 Lab 颜色。</translation>
    </message>
    <message>
        <source>The picture was converted from LAB to sRGB.</source>
        <translation>图片已从 Lab 转换为 sRGB。</translation>
    </message>
    <message>
        <source>A further channel of the file was left out.</source>
        <translation>文件中另有一个通道已略去。</translation>
    </message>
    <message>
        <source>{count} further channels of the file were left out.</source>
        <translation>文件中另有 {count} 个通道已略去。</translation>
    </message>
    <message>
        <source>“{name}” is too large.</source>
        <translation>“{name}”过大。</translation>
    </message>
    <message>
        <source>Name what the attribute belongs to, such as “{example}”.</source>
        <translation>请写出属性所属的对象，例如“{example}”。</translation>
    </message>
    <message>
        <source>Say both, such as “{lower}” and “{higher}”.</source>
        <translation>请写出两端，例如“{lower}”和“{higher}”。</translation>
    </message>
    <message>
        <source>Merge or delete some layers first.</source>
        <translation>请先合并或删除一些图层。</translation>
    </message>
    <message>
        <source>Each side is 1 to {largest}.</source>
        <translation>每边为 1 至 {largest}。</translation>
    </message>
    <message>
        <source>At most {most} megapixels are possible.</source>
        <translation>最多可为 {most} 百万像素。</translation>
    </message>
    <message>
        <source>“{name}” has {width} × {height} pixels; Attune opens up to {most} megapixels and {largest} pixels on a side.</source>
        <translation>“{name}”有 {width} × {height} 像素；Attune 最多可打开 {most} 百万像素、每边 {largest} 像素的图片。</translation>
    </message>
    <message>
        <source>“{name}” is damaged or incomplete: {bytes} bytes cannot hold {width} × {height} pixels.</source>
        <translation>“{name}”已损坏或不完整：{bytes} 字节无法容纳 {width} × {height} 像素。</translation>
    </message>
    <message>
        <source>The layers have {count} megapixels together; {most} are possible.</source>
        <translation>图层总计 {count} 百万像素；最多可为 {most} 百万像素。</translation>
    </message>
    <message>
        <source>Groups lie more than {most} deep in each other.</source>
        <translation>组的嵌套超过 {most} 层。</translation>
    </message>
    <message>
        <source>Move some of them out of the others.</source>
        <translation>请将其中一些移出。</translation>
    </message>
    <message>
        <source>There are more than {most} layers.</source>
        <translation>图层超过 {most} 个。</translation>
    </message>
    <message>
        <source>The colour profile has {size} MiB; {most} are possible.</source>
        <translation>颜色配置文件有 {size} MiB；最多可为 {most} MiB。</translation>
    </message>
    <message>
        <source>A layer lies {distance} pixels away from the picture.</source>
        <translation>有图层距图片 {distance} 像素。</translation>
    </message>
    <message>
        <source>At most {most} are possible.</source>
        <translation>最多可为 {most}。</translation>
    </message>
    <message>
        <source>A subject of the recipe</source>
        <translation>生成参数中的主体</translation>
    </message>
    <message>
        <source>The recipe</source>
        <translation>生成参数</translation>
    </message>
    <message>
        <source>The recipe&apos;s version</source>
        <translation>生成参数的版本</translation>
    </message>
    <message>
        <source>The recipe has version {version}; this Attune reads up to {known}.</source>
        <translation>生成参数的版本为 {version}；此版 Attune 最高可读取 {known}。</translation>
    </message>
    <message>
        <source>The recipe names a detection model, “{model}”.</source>
        <translation>生成参数指定了检测模型“{model}”。</translation>
    </message>
    <message>
        <source>Only your settings may choose one.</source>
        <translation>只有您的设置可以选择检测模型。</translation>
    </message>
    <message>
        <source>The file&apos;s text layer has no text.</source>
        <translation>文件的文字图层没有文字。</translation>
    </message>
    <message>
        <source>expected the name of a file</source>
        <translation>应为文件名</translation>
    </message>
    <message>
        <source>A map of the recovery file does not fit.</source>
        <translation>恢复文件中的一个图与其图层不符。</translation>
    </message>
    <message>
        <source>A layer of the recovery file</source>
        <translation>恢复文件中的图层</translation>
    </message>
    <message>
        <source>“{model}” gave no picture: weights of its {part} ({name}) are no numbers.</source>
        <translation>“{model}”未生成图片：其 {part} 的权重 ({name}) 不是数字。</translation>
    </message>
    <message>
        <source>The model is damaged: copy or download it again.</source>
        <translation>模型已损坏：请重新复制或下载。</translation>
    </message>
    <message>
        <source>“{model}” gave no picture: its numbers grew beyond what float16 holds.</source>
        <translation>“{model}”未生成图片：其数值超出了 16 位浮点数的范围。</translation>
    </message>
    <message>
        <source>Choose bfloat16 or float32 as dtype (--dtype, or in Settings).</source>
        <translation>请将数据类型改为 16 位脑浮点或 32 位浮点（--dtype，或在“设置”中）。</translation>
    </message>
    <message>
        <source>“{model}” gave no picture: its numbers grew beyond what can be held.</source>
        <translation>“{model}”未生成图片：其数值超出了可表示的范围。</translation>
    </message>
    <message>
        <source>“{name}” is no way to keep an edit to its subject.</source>
        <translation>“{name}”不是让编辑只作用于其主体的方法。</translation>
    </message>
    <message>
        <source>“{name}” is no way to invert.</source>
        <translation>“{name}”不是反演方法。</translation>
    </message>
    <message>
        <source>The picture has {width} × {height} pixels, which is too small for {model}.</source>
        <translation>图片只有 {width} × {height} 像素，对 {model} 来说太小了。</translation>
    </message>
    <message>
        <source>It needs {unit} in each direction.</source>
        <translation>宽和高都至少需要 {unit} 像素。</translation>
    </message>
    <message>
        <source>The picture is fully transparent.</source>
        <translation>图片完全透明。</translation>
    </message>
    <message>
        <source>Choose one that shows something.</source>
        <translation>请选择有内容的图片。</translation>
    </message>
    <message>
        <source>The prompt does not seem to fit the picture: the model understands it no better with “{prompt}” than without. Say what it shows.</source>
        <translation>提示词似乎与图片不符：有没有“{prompt}”，模型对图片的理解都一样。请写出图片中的内容。</translation>
    </message>
    <message>
        <source>{name} does not fit in memory whole, which null-text inversion needs.</source>
        <translation>内存装不下整个 {name}，而空文本反演需要这样。</translation>
    </message>
    <message>
        <source>Choose another way to invert, a smaller model or a smaller size.</source>
        <translation>请选择其他反演方法、更小的模型或更小的尺寸。</translation>
    </message>
    <message>
        <source>“{way}” does not work with {model}, which is no model of flow matching.</source>
        <translation>“{way}”不能用于 {model}，因为它不是流匹配模型。</translation>
    </message>
    <message>
        <source>Choose another way to invert.</source>
        <translation>请选择其他反演方法。</translation>
    </message>
    <message>
        <source>There is no detector for the built-in models.</source>
        <translation>缺少内置模型的检测器。</translation>
    </message>
    <message>
        <source>Install Attune again.</source>
        <translation>请重新安装 Attune。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: its first layer has {count} dimensions.</source>
        <translation>“{path}”已损坏：其第一层有 {count} 个维度。</translation>
    </message>
    <message>
        <source>“{path}” is no ordinary file.</source>
        <translation>“{path}”不是普通文件。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: it holds no object.</source>
        <translation>“{path}”已损坏：其内容不是对象。</translation>
    </message>
    <message>
        <source>“{path}” is damaged: it names no files beside it.</source>
        <translation>“{path}”已损坏：它没有指定同一文件夹中的文件。</translation>
    </message>
    <message>
        <source>“{file}” holds a wrong {reason}</source>
        <translation>“{file}”中有错误：{reason}</translation>
    </message>
    <message>
        <source>it has no vectors</source>
        <translation>它没有向量</translation>
    </message>
    <message>
        <source>it has different numbers of vectors for its encoders ({counts})</source>
        <translation>各编码器的向量数不同（{counts}）</translation>
    </message>
    <message>
        <source>“{word}” was learnt for {given}, and {model} is {family}.</source>
        <translation>“{word}”是为 {given} 学习的，而 {model} 属于 {family}。</translation>
    </message>
    <message>
        <source>Choose a model of {given}, or learn it again with this one.</source>
        <translation>请选择 {given} 模型，或用此模型重新学习。</translation>
    </message>
    <message>
        <source>“{word}” ({given}) does not fit {model}, which takes {taken}.</source>
        <translation>“{word}”（{given}）不适合 {model}，它需要 {taken}。</translation>
    </message>
    <message>
        <source>Choose a concept that was learnt for this model&apos;s family.</source>
        <translation>请选择为此模型系列学习的概念。</translation>
    </message>
    <message>
        <source>its part for {encoder} has the shape {shape}, not vectors side by side</source>
        <translation>它用于 {encoder} 的部分形状为 {shape}，不是并列的向量</translation>
    </message>
    <message>
        <source>it has {count} vectors, and a prompt takes {most}</source>
        <translation>它有 {count} 个向量，而提示词最多容纳 {most} 个</translation>
    </message>
    <message>
        <source>its part for {encoder} holds numbers that are not finite</source>
        <translation>它用于 {encoder} 的部分含有非有限数值</translation>
    </message>
    <message>
        <source>its part for {encoder} holds numbers beyond all measure</source>
        <translation>它用于 {encoder} 的部分含有大得离谱的数值</translation>
    </message>
    <message>
        <source>The concept “{word}” cannot be used: {reason}.</source>
        <translation>概念“{word}”无法使用：{reason}。</translation>
    </message>
    <message>
        <source>an attribute: import it with “attune deltas import”</source>
        <translation>一个属性：请用 “attune deltas import” 导入</translation>
    </message>
    <message>
        <source>a LyCORIS, another kind of addition to a model</source>
        <translation>LyCORIS，另一种模型附加文件</translation>
    </message>
    <message>
        <source>an IP-Adapter, another kind of addition to a model</source>
        <translation>IP-Adapter，另一种模型附加文件</translation>
    </message>
    <message>
        <source>a whole model: add it with “attune models add”</source>
        <translation>完整模型：请用 “attune models add” 添加</translation>
    </message>
    <message>
        <source>a whole text encoder</source>
        <translation>完整的文本编码器</translation>
    </message>
    <message>
        <source>a word for a model whose text encoder is a language model</source>
        <translation>用于以语言模型作文本编码器的模型的词</translation>
    </message>
    <message>
        <source>a word for a video model</source>
        <translation>用于视频模型的词</translation>
    </message>
    <message>
        <source>an embedding of a picture</source>
        <translation>图片的嵌入</translation>
    </message>
    <message>
        <source>an embedding of a whole sentence</source>
        <translation>整句的嵌入</translation>
    </message>
    <message>
        <source>a textual inversion in a form that only PyTorch reads</source>
        <translation>只有 PyTorch 能读的文本反演格式</translation>
    </message>
    <message>
        <source>it has {size:.0f} MiB</source>
        <translation>它有 {size:.0f} MiB</translation>
    </message>
    <message>
        <source>Choose a .safetensors file.</source>
        <translation>请选择 .safetensors 文件。</translation>
    </message>
    <message>
        <source>its header has {size} bytes</source>
        <translation>它的文件头有 {size} 字节</translation>
    </message>
    <message>
        <source>concept</source>
        <translation>概念</translation>
    </message>
    <message>
        <source>“{key}” holds no vectors</source>
        <translation>“{key}”中没有向量</translation>
    </message>
    <message>
        <source>it is {what}</source>
        <translation>它是{what}</translation>
    </message>
    <message>
        <source>it is empty</source>
        <translation>它是空的</translation>
    </message>
    <message>
        <source>it has the keys {keys}; known are one word, {known}</source>
        <translation>它的键为 {keys}；已知的是一个词、{known}</translation>
    </message>
    <message>
        <source>“{key}” has the shape {shape}</source>
        <translation>“{key}”的形状为 {shape}</translation>
    </message>
    <message>
        <source>its vectors have {width} numbers, and those of text encoders {known}</source>
        <translation>它的向量有 {width} 个数，而文本编码器为 {known}</translation>
    </message>
    <message>
        <source>its vectors for {encoder} have {width} numbers instead of {usual}</source>
        <translation>它用于 {encoder} 的向量有 {width} 个数，应为 {usual} 个</translation>
    </message>
    <message>
        <source>“{name}” is no concept that can be used: {reason}.</source>
        <translation>“{name}”不是可用的概念：{reason}。</translation>
    </message>
    <message>
        <source>Choose a textual inversion for Stable Diffusion 1, 2, XL or 3.</source>
        <translation>请选择用于 Stable Diffusion 1、2、XL 或 3 的文本反演文件。</translation>
    </message>
    <message>
        <source>There is no concept “{word}”.</source>
        <translation>没有概念“{word}”。</translation>
    </message>
    <message>
        <source>There are: {words}.</source>
        <translation>现有：{words}。</translation>
    </message>
    <message>
        <source>Learn or import one first.</source>
        <translation>请先学习或导入一个。</translation>
    </message>
    <message>
        <source>There is a concept “{word}” already.</source>
        <translation>已有概念“{word}”。</translation>
    </message>
    <message>
        <source>Choose another name, or delete that one first.</source>
        <translation>请换一个名称，或先删除已有的。</translation>
    </message>
    <message>
        <source>“{word}” could be meant as a word of the language.</source>
        <translation>“{word}”可能被当作普通词语。</translation>
    </message>
    <message>
        <source>Write “{made}”: in angle brackets it is the concept&apos;s alone.</source>
        <translation>请写成“{made}”：放在尖括号里就只指这个概念。</translation>
    </message>
    <message>
        <source>“{word}” cannot be the name of a concept.</source>
        <translation>“{word}”不能作为概念的名称。</translation>
    </message>
    <message>
        <source>Write letters, digits and hyphens in angle brackets, at most {most}, such as “{example}”.</source>
        <translation>请在尖括号内写字母、数字和连字符，最多 {most} 个字符，例如“{example}”。</translation>
    </message>
    <message>
        <source>Two concepts are called “{word}”.</source>
        <translation>有两个概念都叫“{word}”。</translation>
    </message>
    <message>
        <source>Give one of them another name.</source>
        <translation>请给其中一个换个名称。</translation>
    </message>
    <message>
        <source>“{hash}” names no content.</source>
        <translation>“{hash}”没有对应的内容。</translation>
    </message>
    <message>
        <source>“{text}” stands for {count} texts: allowed are {most}.</source>
        <translation>“{text}”代表 {count} 个文本：最多允许 {most} 个。</translation>
    </message>
    <message>
        <source>One line of the definition has {count} full stops: at most {most} are allowed.</source>
        <translation>定义中有一行含 {count} 个句点：最多允许 {most} 个。</translation>
    </message>
    <message>
        <source>Write its texts in several lines.</source>
        <translation>请把其中的文字分成多行书写。</translation>
    </message>
    <message>
        <source>it is nested too deeply</source>
        <translation>嵌套过深</translation>
    </message>
    <message>
        <source>“{text}” needs one star, where the subject goes.</source>
        <translation>“{text}”需要一个星号，标明主体的位置。</translation>
    </message>
    <message>
        <source>It stands for more than {most} texts.</source>
        <translation>它代表的文本超过 {most} 个。</translation>
    </message>
    <message>
        <source>A pair</source>
        <translation>一对</translation>
    </message>
    <message>
        <source>Choose in Settings a folder, or a model that is in the hub&apos;s cache.</source>
        <translation>请在“设置”中选择文件夹，或 Hub 缓存中的模型。</translation>
    </message>
    <message>
        <source>The server sends the download to {address}, which is not encrypted.</source>
        <translation>服务器把下载转到 {address}，该连接未加密。</translation>
    </message>
    <message>
        <source>Nothing was fetched from there. If you use a mirror (HF_ENDPOINT), check its address.</source>
        <translation>没有从那里下载任何内容。如果使用镜像（HF_ENDPOINT），请检查其地址。</translation>
    </message>
    <message>
        <source>HF_ENDPOINT is “{given}”, which is no address.</source>
        <translation>HF_ENDPOINT 为“{given}”，不是有效地址。</translation>
    </message>
    <message>
        <source>Give one such as {example}, or unset it.</source>
        <translation>请填写类似 {example} 的地址，或取消该变量。</translation>
    </message>
    <message>
        <source>The token has signs that no token has.</source>
        <translation>令牌中含有令牌不会有的字符。</translation>
    </message>
    <message>
        <source>“{model}” could not be downloaded: {host} was not found.</source>
        <translation>无法下载“{model}”：找不到 {host}。</translation>
    </message>
    <message>
        <source>Connect to the internet. Behind a proxy set HTTPS_PROXY; for a mirror set HF_ENDPOINT.</source>
        <translation>请连接互联网。使用代理时设置 HTTPS_PROXY；使用镜像时设置 HF_ENDPOINT。</translation>
    </message>
    <message>
        <source>“{model}” could not be downloaded: the certificate of {host} is not trusted ({reason}).</source>
        <translation>无法下载“{model}”：{host} 的证书不受信任（{reason}）。</translation>
    </message>
    <message>
        <source>Check the computer&apos;s date. If your network inspects connections, add its certificate: SSL_CERT_FILE names the file.</source>
        <translation>请检查电脑的日期。如果网络会检查连接，请添加其证书：用 SSL_CERT_FILE 指定文件。</translation>
    </message>
    <message>
        <source>“{model}” could not be downloaded: {host} cannot be reached ({reason}).</source>
        <translation>无法下载“{model}”：连不上 {host}（{reason}）。</translation>
    </message>
    <message>
        <source>The download of “{model}” broke off: {reason}.</source>
        <translation>“{model}”的下载中断：{reason}。</translation>
    </message>
    <message>
        <source>What has arrived is kept: start it again to go on from there.</source>
        <translation>已下载的部分会保留：再次开始即可继续。</translation>
    </message>
    <message>
        <source>“{model}” is only for people who have signed in and accepted its licence.</source>
        <translation>“{model}”只对登录并接受许可的用户开放。</translation>
    </message>
    <message>
        <source>Open {page}, sign in and accept it. Then make a token (Settings, Access Tokens) and give it here, or as HF_TOKEN.</source>
        <translation>请打开 {page}，登录并接受许可。然后创建令牌（Settings，Access Tokens），填在这里或设为 HF_TOKEN。</translation>
    </message>
    <message>
        <source>“{model}” is not open to you with this token.</source>
        <translation>用此令牌无法访问“{model}”。</translation>
    </message>
    <message>
        <source>Open {page} and accept the licence, or wait until its owner has let you in; see that the token is not expired and may read gated models.</source>
        <translation>请打开 {page} 接受许可，或等待所有者批准；并确认令牌没有过期且有权读取受限模型。</translation>
    </message>
    <message>
        <source>{host} has no “{model}”.</source>
        <translation>{host} 上没有“{model}”。</translation>
    </message>
    <message>
        <source>Check the spelling of owner/name. If it is private, give a token (HF_TOKEN).</source>
        <translation>请检查“所有者/名称”的拼写。如果是私有模型，请提供令牌（HF_TOKEN）。</translation>
    </message>
    <message>
        <source>“{model}” could not be downloaded: the proxy asks who you are.</source>
        <translation>无法下载“{model}”：代理要求验证身份。</translation>
    </message>
    <message>
        <source>Write name and password into HTTPS_PROXY: http://name:password@host:port.</source>
        <translation>请把用户名和密码写入 HTTPS_PROXY：http://name:password@host:port。</translation>
    </message>
    <message>
        <source>“{model}” could not be downloaded: {host} answered {code}.</source>
        <translation>无法下载“{model}”：{host} 返回 {code}。</translation>
    </message>
    <message>
        <source>Wait a few minutes and start it again: what has arrived is kept.</source>
        <translation>请过几分钟再试：已下载的部分会保留。</translation>
    </message>
    <message>
        <source>“{model}” needs {needed} GB more on the disk of {folder}, where {free} GB are free.</source>
        <translation>“{model}”在 {folder} 所在磁盘还需要 {needed} GB，而只剩 {free} GB。</translation>
    </message>
    <message>
        <source>Make room, or choose a folder on another disk: HF_HOME names it.</source>
        <translation>请腾出空间，或用 HF_HOME 指定其他磁盘上的文件夹。</translation>
    </message>
    <message>
        <source>“{model}” has its {part} in no .safetensors file.</source>
        <translation>“{model}”的 {part} 没有 .safetensors 文件。</translation>
    </message>
    <message>
        <source>Files of other kinds can run code when they are opened. Choose another model.</source>
        <translation>其他类型的文件在打开时可能运行代码。请选择别的模型。</translation>
    </message>
    <message>
        <source>“{model}” is a LoRA, an addition to a model, and no model of its own.</source>
        <translation>“{model}”是 LoRA，是模型的附加部分，不能单独使用。</translation>
    </message>
    <message>
        <source>Choose the model that it was made for.</source>
        <translation>请选择它所对应的模型。</translation>
    </message>
    <message>
        <source>“{model}” is no diffusers folder: it has no model_index.json.</source>
        <translation>“{model}”不是 diffusers 格式：没有 model_index.json。</translation>
    </message>
    <message>
        <source>It has {files}: download one with your browser and add that file.</source>
        <translation>其中有 {files}：请用浏览器下载一个，再添加该文件。</translation>
    </message>
    <message>
        <source>“{model}” is no model that draws pictures: it has no model_index.json.</source>
        <translation>“{model}”不是绘图模型：没有 model_index.json。</translation>
    </message>
    <message>
        <source>{host} answered about “{model}” with something that is no answer.</source>
        <translation>关于“{model}”，{host} 返回的内容无法识别。</translation>
    </message>
    <message>
        <source>Perhaps a page to sign in to the network stands between: open one in your browser. If you use a mirror (HF_ENDPOINT), check its address.</source>
        <translation>可能需要先登录网络：请在浏览器中打开任意网页。如果使用镜像（HF_ENDPOINT），请检查其地址。</translation>
    </message>
    <message>
        <source>“{model}” arrived damaged: {file} is not what {host} lists.</source>
        <translation>“{model}”下载损坏：{file} 与 {host} 列出的不符。</translation>
    </message>
    <message>
        <source>Nothing of that file was kept. Try again later, or over another network.</source>
        <translation>该文件已丢弃。请稍后再试，或换一个网络。</translation>
    </message>
    <message>
        <source>“{model}” could not be written: {reason}.</source>
        <translation>无法写入“{model}”：{reason}。</translation>
    </message>
    <message>
        <source>Make room, or choose another folder with HF_HOME; start it again, and it goes on where it stopped.</source>
        <translation>请腾出空间，或用 HF_HOME 选择其他文件夹；再次开始会从中断处继续。</translation>
    </message>
    <message>
        <source>{sentence} {advice}</source>
        <translation>{sentence}{advice}</translation>
    </message>
    <message>
        <source>Pairs is {pairs}: at least 1 is needed.</source>
        <translation>对数为 {pairs}：至少需要 1。</translation>
    </message>
    <message>
        <source>“{attribute}” cannot be measured.</source>
        <translation>无法测量“{attribute}”。</translation>
    </message>
    <message>
        <source>Choose of: {known}.</source>
        <translation>可选：{known}。</translation>
    </message>
    <message>
        <source>“{method}” has no single refinement to move.</source>
        <translation>“{method}”没有可移动的单次细化。</translation>
    </message>
    <message>
        <source>Choose of: {movable}.</source>
        <translation>可选：{movable}。</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>提示词数</translation>
    </message>
    <message>
        <source>Seeds</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>{name} is {count}: at least 1 is needed.</source>
        <translation>{name}为 {count}：至少需要 1。</translation>
    </message>
    <message>
        <source>There is no position beside 0.</source>
        <translation>除 0 以外没有其他位置。</translation>
    </message>
    <message>
        <source>Name some, such as -2 -1 0 1 2.</source>
        <translation>请给出一些，例如 -2 -1 0 1 2。</translation>
    </message>
    <message>
        <source>There is no way “{name}” of learning a concept.</source>
        <translation>没有名为“{name}”的概念学习方式。</translation>
    </message>
    <message>
        <source>Subjects is {count}: at least 1 is needed.</source>
        <translation>主体数为 {count}：至少需要 1 个。</translation>
    </message>
    <message>
        <source>The detector finds no {kind} in true renders.</source>
        <translation>检测器在真实渲染中找不到 {kind}。</translation>
    </message>
    <message>
        <source>“{name}” is no way to edit for {model}.</source>
        <translation>{model} 没有名为“{name}”的编辑方式。</translation>
    </message>
    <message>
        <source>“{path}” exists and is no evaluation: {reason}.</source>
        <translation>“{path}”已存在，但不是评测结果：{reason}。</translation>
    </message>
    <message>
        <source>Name another file, or move it away.</source>
        <translation>请指定其他文件，或将其移走。</translation>
    </message>
    <message>
        <source>Attune opens PNG, JPEG, WebP, TIFF, AVIF, HEIF, JPEG 2000, JPEG XL, camera raw, OpenEXR, OpenRaster, Photoshop, SVG and some older kinds of files.</source>
        <translation>Attune 可打开 PNG、JPEG、WebP、TIFF、AVIF、HEIF、JPEG 2000、JPEG XL、相机原始文件、OpenEXR、OpenRaster、Photoshop、SVG 以及一些较旧格式的文件。</translation>
    </message>
    <message>
        <source>This edit is the same with every seed, so it has no variations.</source>
        <translation>这项编辑不随种子变化，因此没有变体。</translation>
    </message>
    <message>
        <source>Move its sliders, or say it in other words.</source>
        <translation>请移动它的滑块，或换一种说法。</translation>
    </message>
    <message>
        <source>method</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>set</source>
        <translation>集合</translation>
    </message>
    <message>
        <source>There is no {kind} “{unknown}”.</source>
        <translation>没有{kind}“{unknown}”。</translation>
    </message>
    <message>
        <source>{kind} is {count}: at least 1 is needed.</source>
        <translation>{kind}为 {count}：至少需要 1。</translation>
    </message>
    <message>
        <source>The detection model knows {known} of the suite&apos;s subjects; {needed} are needed.</source>
        <translation>检测模型只认识评测集中的 {known} 种主体；至少需要 {needed} 种。</translation>
    </message>
    <message>
        <source>Choose one that knows some of: {photo_kinds}.</source>
        <translation>请选择能识别以下部分主体的模型：{photo_kinds}。</translation>
    </message>
    <message>
        <source>“{name}” is no point of this evaluation.</source>
        <translation>“{name}”不是此评测中的项目。</translation>
    </message>
    <message>
        <source>“{path}” has other names (hard links) and could be written in part only: {reason}.</source>
        <translation>“{path}”另有其他名称（硬链接），只写入了一部分：{reason}。</translation>
    </message>
    <message>
        <source>The whole new file is “{whole}”.</source>
        <translation>完整的新文件是“{whole}”。</translation>
    </message>
    <message>
        <source>The picture is of one colour: it has no structure to keep.</source>
        <translation>图片只有一种颜色:没有可以保留的结构。</translation>
    </message>
    <message>
        <source>Choose one that shows something, or make a new picture.</source>
        <translation>请选择有内容的图片,或新建一张。</translation>
    </message>
    <message>
        <source>“{method}” learns from {needed} pictures; {count} are given.</source>
        <translation>“{method}”需要 {needed} 张图片来学习；给出了 {count} 张。</translation>
    </message>
    <message>
        <source>Name one with “picture”, the one before and the one after with “pair”, and none otherwise.</source>
        <translation>“picture”给一张，“pair”给之前和之后各一张，其他方式不给。</translation>
    </message>
    <message>
        <source>The delta of “{subject}: {attribute}” is another one than this was first made with.</source>
        <translation>“{subject}: {attribute}”的增量与最初使用的不同。</translation>
    </message>
    <message>
        <source>The subject at characters {start} to {end} is not in the prompt, which has {count} characters.</source>
        <translation>第 {start} 至 {end} 个字符处的主体不在提示词中，提示词共有 {count} 个字符。</translation>
    </message>
    <message>
        <source>Of {count} photos little is learnt but these photos: three to five from different sides and in different places are better.</source>
        <translation>只有 {count} 张照片时学到的几乎只是这几张照片：最好有三到五张，取自不同角度和地点。</translation>
    </message>
    <message>
        <source>Of one photo little is learnt but this photo: three to five from different sides and in different places are better.</source>
        <translation>只有一张照片时学到的几乎只是这张照片：最好有三到五张，取自不同角度和地点。</translation>
    </message>
    <message>
        <source>{count} photos are many: the five clearest ones give a sharper result.</source>
        <translation>{count} 张照片太多：选最清晰的五张结果更锐利。</translation>
    </message>
    <message>
        <source>Photo {number}: its subject is small, {columns} × {rows} pixels, and the model sees {width} × {height}. Choose one that is closer.</source>
        <translation>照片 {number}：主体太小，只有 {columns} × {rows} 像素，而模型看到的是 {width} × {height}。请选近一些的。</translation>
    </message>
    <message>
        <source>In none of the photos the model sees a {kind}: choose the word that says what they have in common.</source>
        <translation>模型在所有照片中都没有看到 {kind}：请选择能说明它们共同点的词。</translation>
    </message>
    <message>
        <source>The model sees no {kind} in photo {numbers}: is it the same subject? Leave out what shows something else.</source>
        <translation>模型在照片 {numbers} 中没有看到 {kind}：是同一主体吗？请去掉拍摄其他内容的照片。</translation>
    </message>
    <message>
        <source>Photo {number} shows more than one {kind}: it is not told which is meant. Crop it, or choose one with the subject alone.</source>
        <translation>照片 {number} 中不止一个 {kind}：无法知道指的是哪一个。请裁切，或选只有主体的照片。</translation>
    </message>
    <message>
        <source>There are no photos.</source>
        <translation>没有照片。</translation>
    </message>
    <message>
        <source>Choose three to five of one subject.</source>
        <translation>请选择同一主体的三到五张。</translation>
    </message>
    <message>
        <source>There is no word that the concept is a kind of.</source>
        <translation>没有说明概念属于哪一类。</translation>
    </message>
    <message>
        <source>Name one, such as “{example}”: learning begins there.</source>
        <translation>请写一个，例如“{example}”：学习由此开始。</translation>
    </message>
    <message>
        <source>Learning diverged after {step} changes; kept is what was learnt until change {good}. A lower learning rate may help.</source>
        <translation>学习在 {step} 次更新后发散；保留第 {good} 次更新为止的结果。较低的学习率可能有帮助。</translation>
    </message>
    <message>
        <source>The definition has a pair whose ends are the same.</source>
        <translation>定义中有一对两端相同。</translation>
    </message>
    <message>
        <source>Say what “positive” and “negative” are, or learn from pictures.</source>
        <translation>请说明“positive”和“negative”，或从图片学习。</translation>
    </message>
    <message>
        <source>The pictures before and after have {first} and {second} pixels.</source>
        <translation>之前和之后的图片分别为 {first} 和 {second} 像素。</translation>
    </message>
    <message>
        <source>They have to be of one size.</source>
        <translation>它们的尺寸必须相同。</translation>
    </message>
    <message>
        <source>{model} has no part called {missing}, which holds the structure of pictures in such models.</source>
        <translation>{model} 没有名为 {missing} 的部分,而这类模型的图像结构正保存在其中。</translation>
    </message>
    <message>
        <source>Choose another model, or Redraw, which needs none.</source>
        <translation>请换用其他模型,或使用不需要它的“重绘”。</translation>
    </message>
    <message>
        <source>The features take {needed} MiB, more than the {limit} that may be kept: {steps} of the steps compute them again for each text.</source>
        <translation>特征需要 {needed} MiB,超过允许保留的 {limit} MiB:其中 {steps} 步会为每段文字重新计算。</translation>
    </message>
    <message>
        <source>The place of the change is outside of the picture.</source>
        <translation>更改的位置在画面之外。</translation>
    </message>
    <message>
        <source>Draw it on what shall change.</source>
        <translation>请画在要更改的内容上。</translation>
    </message>
    <message>
        <source>Say in words what the picture is to show.</source>
        <translation>请用文字说明希望画面呈现什么。</translation>
    </message>
    <message>
        <source>“{source}” and “{prompt}” have no word in common.</source>
        <translation>“{source}”与“{prompt}”没有共同的词。</translation>
    </message>
    <message>
        <source>Say what the picture shows, and change only the words of what shall be different.</source>
        <translation>先说明画面内容，再只改动要变化的词。</translation>
    </message>
    <message>
        <source>Both prompts say the same.</source>
        <translation>两句提示词相同。</translation>
    </message>
    <message>
        <source>Change the words of what shall be different, or weigh one.</source>
        <translation>请改动要变化的词，或调整某个词的权重。</translation>
    </message>
    <message>
        <source>The word at characters {start} to {end} is not in the prompt, which has {count} characters.</source>
        <translation>第 {start} 到 {end} 个字符处没有词：提示词共 {count} 个字符。</translation>
    </message>
    <message>
        <source>Choose the word again.</source>
        <translation>请重新选择该词。</translation>
    </message>
    <message>
        <source>There is no model in “{folder}”.</source>
        <translation>“{folder}”中没有模型。</translation>
    </message>
    <message>
        <source>{supported} Choose the folder in which they lie.</source>
        <translation>{supported} 请选择模型所在的文件夹。</translation>
    </message>
    <message>
        <source>{model} needs {needed} GB of memory, {free} GB are free: {part} is there at a time.</source>
        <translation>{model} 需要 {needed} GB 显存，空闲 {free} GB：每次只载入{part}。</translation>
    </message>
    <message>
        <source>The model&apos;s scheduler has settings that cannot be used: {reason}.</source>
        <translation>模型的调度器含有无法使用的设置：{reason}。</translation>
    </message>
    <message>
        <source>The mask is {width} × {height} pixels, the picture {columns} × {rows}.</source>
        <translation>蒙版为 {width} × {height} 像素，而图片为 {columns} × {rows} 像素。</translation>
    </message>
    <message>
        <source>Give a mask of the picture&apos;s size.</source>
        <translation>请提供与图片尺寸相同的蒙版。</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>请去掉一些。</translation>
    </message>
    <message>
        <source>allowed is up to {high:.10g}</source>
        <translation>最大为 {high:.10g}</translation>
    </message>
    <message>
        <source>allowed is {low:.10g} or more</source>
        <translation>最小为 {low:.10g}</translation>
    </message>
    <message>
        <source>allowed is {low:.10g} to {high:.10g}</source>
        <translation>允许范围为 {low:.10g} 至 {high:.10g}</translation>
    </message>
    <message>
        <source>“{model}” is damaged: vae/config.json says {name} is {given}.</source>
        <translation>“{model}”已损坏：vae/config.json 中的 {name} 为 {given}。</translation>
    </message>
    <message>
        <source>“{model}” is damaged: its {part} cannot be read ({reason}).</source>
        <translation>“{model}”已损坏：无法读取其 {part}（{reason}）。</translation>
    </message>
    <message>
        <source>“{model}” is damaged: its {part} has words up to number {highest}, and the text encoder knows {known}.</source>
        <translation>“{model}”已损坏：其 {part} 的词编号最大为 {highest}，而文本编码器只认识 {known} 个。</translation>
    </message>
    <message>
        <source>Use the tokenizer that belongs to this model.</source>
        <translation>请使用属于该模型的分词器。</translation>
    </message>
    <message>
        <source>a Chroma model</source>
        <translation>Chroma 模型</translation>
    </message>
    <message>
        <source>a Hunyuan model</source>
        <translation>混元模型</translation>
    </message>
    <message>
        <source>a HiDream model</source>
        <translation>HiDream 模型</translation>
    </message>
    <message>
        <source>a Qwen-Image model</source>
        <translation>Qwen-Image 模型</translation>
    </message>
    <message>
        <source>a Lumina or Z-Image model</source>
        <translation>Lumina 或 Z-Image 模型</translation>
    </message>
    <message>
        <source>an AuraFlow model</source>
        <translation>AuraFlow 模型</translation>
    </message>
    <message>
        <source>a Wan video model</source>
        <translation>Wan 视频模型</translation>
    </message>
    <message>
        <source>an LTX video model</source>
        <translation>LTX 视频模型</translation>
    </message>
    <message>
        <source>a PixArt or Sana model</source>
        <translation>PixArt 或 Sana 模型</translation>
    </message>
    <message>
        <source>an IP-Adapter, an addition to a model</source>
        <translation>IP-Adapter，是模型的附加部分</translation>
    </message>
    <message>
        <source>a LyCORIS, an addition to a model</source>
        <translation>LyCORIS，是模型的附加部分</translation>
    </message>
    <message>
        <source>“{name}” was trained in another way (EDM), which is not supported.</source>
        <translation>“{name}”以另一种方式（EDM）训练，不受支持。</translation>
    </message>
    <message>
        <source>Choose a model that is not made from Playground 2.5 or CosXL.</source>
        <translation>请选择并非基于 Playground 2.5 或 CosXL 的模型。</translation>
    </message>
    <message>
        <source>“{name}” takes {channels} channels: it is made for editing.</source>
        <translation>“{name}”需要 {channels} 个通道：它用于图像编辑。</translation>
    </message>
    <message>
        <source>Choose the model that generates from text (4 channels), or one for inpainting (9).</source>
        <translation>请选择由文字生成图像的模型（4 通道），或局部重绘模型（9 通道）。</translation>
    </message>
    <message>
        <source>“{name}” is used without its T5 text encoder: T5&apos;s tokenizer is not on this machine. Long or intricate prompts are followed less closely.</source>
        <translation>“{name}”不使用其 T5 文本编码器：本机没有 T5 的分词器。对长而复杂的提示词遵循度会降低。</translation>
    </message>
    <message>
        <source>It is damaged or of another kind: copy or download it again, or choose another one.</source>
        <translation>文件已损坏或属于其他类型：请重新复制或下载，或选择其他文件。</translation>
    </message>
    <message>
        <source>“{model}” cannot be loaded: {reason}.</source>
        <translation>无法加载“{model}”：{reason}。</translation>
    </message>
    <message>
        <source>“attune models check” tells more. Copy or download it again.</source>
        <translation>“attune models check”可显示详情。请重新复制或下载。</translation>
    </message>
    <message>
        <source>The device “{name}” is not available.</source>
        <translation>设备“{name}”不可用。</translation>
    </message>
    <message>
        <source>Available here: auto, {there}.</source>
        <translation>此处可用：auto、{there}。</translation>
    </message>
    <message>
        <source>Unknown dtype “{name}”.</source>
        <translation>未知的数据类型“{name}”。</translation>
    </message>
    <message>
        <source>Known are: auto, {dtypes}.</source>
        <translation>已知：auto、{dtypes}。</translation>
    </message>
    <message>
        <source>The tokenizer {name} of “{entry_name}” does not tell which characters a token stands for.</source>
        <translation>“{entry_name}”的分词器 {name} 没有说明词元对应哪些字符。</translation>
    </message>
    <message>
        <source>Add its tokenizer.json.</source>
        <translation>请添加它的 tokenizer.json。</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>There is no attribute number {index} to sweep; there are {count}.</source>
        <translation>没有可扫描的第 {index} 个属性；共有 {count} 个。</translation>
    </message>
    <message>
        <source>Choose one of the edits.</source>
        <translation>请选择其中一项编辑。</translation>
    </message>
    <message>
        <source>{name} has no text attention that could be refined.</source>
        <translation>{name} 没有可细化的文本注意力。</translation>
    </message>
    <message>
        <source>Choose another model.</source>
        <translation>请选择其他模型。</translation>
    </message>
    <message>
        <source>Guidance from step {first} to {last} leaves the schedule, which has {steps} steps.</source>
        <translation>从第 {first} 步到第 {last} 步的引导超出了共 {steps} 步的采样过程。</translation>
    </message>
    <message>
        <source>Choose steps from 0 to {steps}.</source>
        <translation>请选择 0 至 {steps} 之间的步。</translation>
    </message>
    <message>
        <source>“{method}” refines at steps of its own; step {chosen} cannot be chosen.</source>
        <translation>“{method}”在固定的步细化；不能选择第 {chosen} 步。</translation>
    </message>
    <message>
        <source>Leave the step open, or choose a method with one refinement, such as ours or ours+.</source>
        <translation>请不要指定步，或选择只细化一次的方法，例如 ours 或 ours+。</translation>
    </message>
    <message>
        <source>The first step is all noise: there is no mean to learn.</source>
        <translation>第一步全是噪点：没有可学习的均值。</translation>
    </message>
    <message>
        <source>Choose a step from 1 to {last}.</source>
        <translation>请选择 1 至 {last} 之间的步。</translation>
    </message>
    <message>
        <source>Step {step} is beyond the schedule, which has {steps} steps.</source>
        <translation>第 {step} 步超出了共 {steps} 步的采样过程。</translation>
    </message>
    <message>
        <source>Choose a step from 0 to {last}.</source>
        <translation>请选择 0 至 {last} 之间的步。</translation>
    </message>
    <message>
        <source>The subject at characters {start} to {end} is not in the prompt, which has {length} characters.</source>
        <translation>第 {start} 至 {end} 个字符处的主体不在提示词中，提示词共有 {length} 个字符。</translation>
    </message>
    <message>
        <source>Choose the subject again.</source>
        <translation>请重新选择主体。</translation>
    </message>
    <message>
        <source>There is no subject to refine.</source>
        <translation>没有可细化的主体。</translation>
    </message>
    <message>
        <source>Choose the words that have to be seen.</source>
        <translation>请选择必须出现的单词。</translation>
    </message>
    <message>
        <source>{name} does not fit in memory whole, which refining needs.</source>
        <translation>内存无法容纳完整的 {name}，而细化需要这样。</translation>
    </message>
    <message>
        <source>Choose a smaller model or a smaller size, or close other programs.</source>
        <translation>请选择更小的模型或尺寸，或关闭其他程序。</translation>
    </message>
    <message>
        <source>The refinement met numbers that are not finite; the picture stayed as it was without it.</source>
        <translation>细化过程中出现非有限数值；图片保持未细化的样子。</translation>
    </message>
    <message>
        <source>The refinement met numbers that are not finite; {failed} of {pictures} pictures stayed as they were without it.</source>
        <translation>细化过程中出现非有限数值；{pictures} 张图片中有 {failed} 张保持未细化的样子。</translation>
    </message>
    <message>
        <source>There is no subject to look for.</source>
        <translation>没有要查找的主体。</translation>
    </message>
    <message>
        <source>The detector does not know “{kind}”.</source>
        <translation>检测器不认识“{kind}”。</translation>
    </message>
    <message>
        <source>It knows: {known} …</source>
        <translation>它认识：{known} …</translation>
    </message>
    <message>
        <source>Name a folder, or a model of the hub that is on this machine.</source>
        <translation>请指定文件夹，或本机已有的 Hub 模型。</translation>
    </message>
    <message>
        <source>There is no model “{model}”.</source>
        <translation>没有名为“{model}”的模型。</translation>
    </message>
    <message>
        <source>There are: {names}. A path or a hub id (owner/name) works as well.</source>
        <translation>现有：{names}。也可以使用路径或 Hub ID (owner/name)。</translation>
    </message>
    <message>
        <source>“{name}” is built in and cannot be removed.</source>
        <translation>“{name}”为内置模型，无法移除。</translation>
    </message>
    <message>
        <source>There is no added model “{name}”.</source>
        <translation>没有已添加的模型“{name}”。</translation>
    </message>
    <message>
        <source>“{hub_id}” is not on this machine.</source>
        <translation>本机没有“{hub_id}”。</translation>
    </message>
    <message>
        <source>“attune models add {hub_id}” downloads it.</source>
        <translation>可用“attune models add {hub_id}”下载。</translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation>整数</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>数字</translation>
    </message>
    <message>
        <source>yes or no</source>
        <translation>是或否</translation>
    </message>
    <message>
        <source>a text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>Unknown parameter {unknown}.</source>
        <translation>未知的参数 {unknown}。</translation>
    </message>
    <message>
        <source>a value is needed</source>
        <translation>需要一个值</translation>
    </message>
    <message>
        <source>expected {kind}</source>
        <translation>应为{kind}</translation>
    </message>
    <message>
        <source>choose one of: {choices}</source>
        <translation>可选：{choices}</translation>
    </message>
    <message>
        <source>Unknown field {unknown} in {name}.</source>
        <translation>{name} 中有未知的字段 {unknown}。</translation>
    </message>
    <message>
        <source>Characters {start} to {end} of the prompt “{text}” stand for no word.</source>
        <translation>提示词“{text}”的第 {start} 至 {end} 个字符不是单词。</translation>
    </message>
    <message>
        <source>The prompt has {length} characters.</source>
        <translation>提示词共有 {length} 个字符。</translation>
    </message>
    <message>
        <source>The model has no text encoder “{encoder}”.</source>
        <translation>模型没有文本编码器“{encoder}”。</translation>
    </message>
    <message>
        <source>It has: {embeddings}.</source>
        <translation>它有：{embeddings}。</translation>
    </message>
    <message>
        <source>The attribute&apos;s vector for “{encoder}” has {given} numbers, the model&apos;s tokens have {width}.</source>
        <translation>属性用于“{encoder}”的向量有 {given} 个数，而模型的词元有 {width} 个。</translation>
    </message>
    <message>
        <source>Choose an attribute that was made for this model&apos;s family.</source>
        <translation>请选择为该模型系列制作的属性。</translation>
    </message>
    <message>
        <source>permission denied</source>
        <translation>权限不足</translation>
    </message>
    <message>
        <source>the system does not permit it</source>
        <translation>系统不允许</translation>
    </message>
    <message>
        <source>there is no such file or folder</source>
        <translation>没有该文件或文件夹</translation>
    </message>
    <message>
        <source>it exists already</source>
        <translation>已存在</translation>
    </message>
    <message>
        <source>a part of the path is no folder</source>
        <translation>路径中有一部分不是文件夹</translation>
    </message>
    <message>
        <source>it is a folder</source>
        <translation>这是文件夹</translation>
    </message>
    <message>
        <source>the folder is not empty</source>
        <translation>文件夹不为空</translation>
    </message>
    <message>
        <source>no space is left on the drive</source>
        <translation>磁盘空间不足</translation>
    </message>
    <message>
        <source>your share of the drive is used up</source>
        <translation>您的磁盘配额已用完</translation>
    </message>
    <message>
        <source>the file would become too large</source>
        <translation>文件会变得过大</translation>
    </message>
    <message>
        <source>the drive can only be read</source>
        <translation>磁盘是只读的</translation>
    </message>
    <message>
        <source>the drive reports an error</source>
        <translation>磁盘报告错误</translation>
    </message>
    <message>
        <source>there is no such device</source>
        <translation>没有该设备</translation>
    </message>
    <message>
        <source>another program uses it</source>
        <translation>其他程序正在使用</translation>
    </message>
    <message>
        <source>too many files are open</source>
        <translation>打开的文件过多</translation>
    </message>
    <message>
        <source>the name is too long</source>
        <translation>名称过长</translation>
    </message>
    <message>
        <source>the system does not accept it</source>
        <translation>系统不接受</translation>
    </message>
    <message>
        <source>links lead in a circle</source>
        <translation>链接形成循环</translation>
    </message>
    <message>
        <source>it lies on another drive</source>
        <translation>它位于其他磁盘</translation>
    </message>
    <message>
        <source>the other end was closed</source>
        <translation>另一端已关闭</translation>
    </message>
    <message>
        <source>there is not enough memory</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>there was no answer in time</source>
        <translation>等待应答超时</translation>
    </message>
    <message>
        <source>the connection was refused</source>
        <translation>连接被拒绝</translation>
    </message>
    <message>
        <source>the connection was closed</source>
        <translation>连接已关闭</translation>
    </message>
    <message>
        <source>the network cannot be reached</source>
        <translation>无法访问网络</translation>
    </message>
    <message>
        <source>it is not in UTF-8</source>
        <translation>编码不是 UTF-8</translation>
    </message>
    <message>
        <source>It needs operation, parameters and model.</source>
        <translation>需要操作、参数和模型。</translation>
    </message>
    <message>
        <source>Unknown operation “{name}”.</source>
        <translation>未知的操作“{name}”。</translation>
    </message>
    <message>
        <source>The weights of {name} are not those this was first made with.</source>
        <translation>{name} 的权重与最初生成时不同。</translation>
    </message>
    <message>
        <source>Choose a model of: {families}.</source>
        <translation>请选择以下系列的模型：{families}。</translation>
    </message>
    <message>
        <source>There is not enough memory for a picture of {width} × {height} with {model}.</source>
        <translation>内存不足，无法用 {model} 生成 {width} × {height} 的图片。</translation>
    </message>
    <message>
        <source>There is not enough memory with {model}.</source>
        <translation>内存不足，无法运行 {model}。</translation>
    </message>
    <message>
        <source>Unknown sampler “{sampler}”.</source>
        <translation>未知的采样器“{sampler}”。</translation>
    </message>
    <message>
        <source>Known are: {samplers}.</source>
        <translation>已知：{samplers}。</translation>
    </message>
    <message>
        <source>The model&apos;s scheduler predicts “{named}”, which is unknown.</source>
        <translation>模型的调度器预测“{named}”，类型未知。</translation>
    </message>
    <message>
        <source>Known are: {known}.</source>
        <translation>已知：{known}。</translation>
    </message>
    <message>
        <source>{steps} steps are not possible with the sampler {sampler}.</source>
        <translation>采样器 {sampler} 不支持 {steps} 步。</translation>
    </message>
    <message>
        <source>Choose 1 to {most}.</source>
        <translation>请选择 1 至 {most}。</translation>
    </message>
    <message>
        <source>Loading {model}… {percent} %</source>
        <translation>正在加载 {model}… {percent} %</translation>
    </message>
    <message>
        <source>{model} could not be loaded: {reason}</source>
        <translation>无法加载 {model}：{reason}</translation>
    </message>
    <message>
        <source>The image engine stopped unexpectedly ({reason}).</source>
        <translation>图像引擎意外停止 ({reason})。</translation>
    </message>
    <message>
        <source>it cannot be started: {reason}</source>
        <translation>无法启动：{reason}</translation>
    </message>
    <message>
        <source>its thread ended</source>
        <translation>线程已结束</translation>
    </message>
    <message>
        <source>signal 9, probably out of memory</source>
        <translation>信号 9，可能是内存不足</translation>
    </message>
    <message>
        <source>signal {signal}</source>
        <translation>信号 {signal}</translation>
    </message>
    <message>
        <source>exit status {status}</source>
        <translation>退出状态 {status}</translation>
    </message>
    <message>
        <source>Choose the model that generates from text ({latent_channels} channels), or one for inpainting.</source>
        <translation>请选择由文字生成图像的模型（{latent_channels} 通道），或局部重绘模型。</translation>
    </message>
    <message>
        <source>“{model}” is damaged: {part}/config.json makes no network ({reason}).</source>
        <translation>“{model}”已损坏：{part}/config.json 无法构成网络（{reason}）。</translation>
    </message>
    <message>
        <source>“{model}” is incomplete: its {part} lacks {count} of {total} tensors, such as {name}.</source>
        <translation>“{model}”不完整：其 {part} 缺少 {total} 个张量中的 {count} 个，例如 {name}。</translation>
    </message>
    <message>
        <source>“{model}” does not fit its configuration: {part} has {name} with the shape {given}, not {wanted} ({count} such tensors).</source>
        <translation>“{model}”与其配置不符：{part} 中 {name} 的形状为 {given}，而不是 {wanted}（共 {count} 个此类张量）。</translation>
    </message>
    <message>
        <source>Use the configuration that belongs to these weights.</source>
        <translation>请使用与这些权重对应的配置。</translation>
    </message>
    <message>
        <source>“{model}” is damaged: {part}/config.json wants {count} layers.</source>
        <translation>“{model}”已损坏：{part}/config.json 要求 {count} 层。</translation>
    </message>
    <message>
        <source>“{name}” holds numbers of the kind {kind}, which is not supported.</source>
        <translation>“{name}”中的数值类型为 {kind}，不受支持。</translation>
    </message>
    <message>
        <source>Use the same model in float16, bfloat16 or float8.</source>
        <translation>请使用同一模型的 float16、bfloat16 或 float8 版本。</translation>
    </message>
    <message>
        <source>“{model}” holds no text encoders.</source>
        <translation>“{model}”不含文本编码器。</translation>
    </message>
    <message>
        <source>Use the file of the same model whose name says that it includes them, such as “…_incl_clips”, or put clip_l.safetensors and clip_g.safetensors beside it.</source>
        <translation>请使用同一模型中注明包含文本编码器的文件，例如“…_incl_clips”，或把 clip_l.safetensors 和 clip_g.safetensors 放在旁边。</translation>
    </message>
    <message>
        <source>“{model}” is incomplete: it has no {part}.</source>
        <translation>“{model}”不完整：没有 {part}。</translation>
    </message>
    <message>
        <source>Use a file that holds the whole model.</source>
        <translation>请使用包含完整模型的文件。</translation>
    </message>
    <message>
        <source>“{model}” is incomplete: its {part} lacks the tensor {name}.</source>
        <translation>“{model}”不完整：其 {part} 缺少张量 {name}。</translation>
    </message>
    <message>
        <source>“{model}” cannot be read: its {part} has tensors of unknown names or shapes.</source>
        <translation>无法读取“{model}”：其 {part} 中有名称或形状未知的张量。</translation>
    </message>
    <message>
        <source>“{phrase}” is not in the prompt.</source>
        <translation>提示词中没有“{phrase}”。</translation>
    </message>
    <message>
        <source>The prompt&apos;s words are: {present}.</source>
        <translation>提示词中的单词有：{present}。</translation>
    </message>
    <message>
        <source>“{phrase}” number {number} is not in the prompt.</source>
        <translation>提示词中没有第 {number} 个“{phrase}”。</translation>
    </message>
    <message>
        <source>It is there {times} times.</source>
        <translation>它出现了 {times} 次。</translation>
    </message>
    <message>
        <source>It is there once.</source>
        <translation>它只出现了一次。</translation>
    </message>
    <message>
        <source>Loading {model}…</source>
        <translation>正在加载 {model}…</translation>
    </message>
    <message>
        <source>An unexpected problem stopped this job ({detail}).</source>
        <translation>任务因意外问题而停止 ({detail})。</translation>
    </message>
    <message>
        <source>Nothing was changed; the details are in the log. Try again or restart Attune.</source>
        <translation>未作任何更改；详情见日志。请重试，或重新启动 Attune。</translation>
    </message>
    <message>
        <source>This layer has no seed, so it has no variations.</source>
        <translation>此图层没有种子，因此没有变体。</translation>
    </message>
    <message>
        <source>A layer made by “{operation}” has no attribute sliders.</source>
        <translation>由“{operation}”生成的图层没有属性滑块。</translation>
    </message>
    <message>
        <source>That layer is no longer in the document.</source>
        <translation>该图层已不在文档中。</translation>
    </message>
    <message>
        <source>There is nothing to paint from yet.</source>
        <translation>尚无取样源。</translation>
    </message>
    <message>
        <source>The picture is still being turned.</source>
        <translation>图片仍在旋转中。</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>请稍后重试。</translation>
    </message>
    <message>
        <source>The chosen layer has no pixels of its own.</source>
        <translation>所选图层自身没有像素。</translation>
    </message>
    <message>
        <source>Sample all layers instead.</source>
        <translation>请改为对所有图层取样。</translation>
    </message>
    <message>
        <source>What was moved before is still being laid down.</source>
        <translation>先前移动的内容仍在放置中。</translation>
    </message>
    <message>
        <source>The document changed in the meantime, so nothing was moved.</source>
        <translation>文档在此期间已更改，因此未移动任何内容。</translation>
    </message>
    <message>
        <source>No layer is chosen.</source>
        <translation>没有选择图层。</translation>
    </message>
    <message>
        <source>Choose a layer in the Layers panel.</source>
        <translation>请在“图层”面板中选择图层。</translation>
    </message>
    <message>
        <source>Choose a layer with pixels, or a mask.</source>
        <translation>请选择含像素的图层或蒙版。</translation>
    </message>
    <message>
        <source>Turn it into pixels first, in the Layer menu.</source>
        <translation>请先在“图层”菜单中栅格化文字。</translation>
    </message>
    <message>
        <source>Show it in the Layers panel first.</source>
        <translation>请先在“图层”面板中显示该图层。</translation>
    </message>
    <message>
        <source>The layer changed in the meantime, so nothing was painted.</source>
        <translation>图层在此期间已更改，因此未绘制任何内容。</translation>
    </message>
    <message>
        <source>{detail}</source>
        <translation>{detail}</translation>
    </message>
    <message>
        <source>This is for Linux desktops.</source>
        <translation>此功能用于 Linux 桌面。</translation>
    </message>
    <message>
        <source>On Windows and macOS the installed package adds the shortcut itself.</source>
        <translation>在 Windows 和 macOS 上，安装包会自行添加快捷方式。</translation>
    </message>
    <message>
        <source>There is no setting “{name}”.</source>
        <translation>没有设置项“{name}”。</translation>
    </message>
    <message>
        <source>A setting was out of range and is back at its default: {reason}</source>
        <translation>某项设置超出范围，已恢复默认值：{reason}</translation>
    </message>
    <message>
        <source>The settings could not be read ({reason}); the defaults are used. The old file is {file}.</source>
        <translation>无法读取设置 ({reason})，已使用默认值。旧文件为 {file}。</translation>
    </message>
    <message>
        <source>A colour is {colour}: allowed are four numbers 0 to 255.</source>
        <translation>颜色为 {colour}：应为四个 0 至 255 的数值。</translation>
    </message>
    <message>
        <source>The document changed in the meantime, so nothing was done.</source>
        <translation>文档在此期间已更改，因此未执行任何操作。</translation>
    </message>
    <message>
        <source>Try it again.</source>
        <translation>请重试。</translation>
    </message>
    <message>
        <source>This point is too dark to tell the colour of the light.</source>
        <translation>此处过暗，无法判断光源颜色。</translation>
    </message>
    <message>
        <source>Pick a lighter grey.</source>
        <translation>请选取较亮的灰色。</translation>
    </message>
    <message>
        <source>The unsaved work takes more room than recovery may use.</source>
        <translation>未保存的工作超出了恢复空间的上限。</translation>
    </message>
    <message>
        <source>Save it as a project, or allow more in the settings.</source>
        <translation>请保存为工程，或在设置中增大空间。</translation>
    </message>
    <message>
        <source>the whole model</source>
        <translation>整个模型</translation>
    </message>
    <message>
        <source>one network</source>
        <translation>一个网络</translation>
    </message>
    <message>
        <source>one block</source>
        <translation>一个模块</translation>
    </message>
    <message>
        <source>one layer</source>
        <translation>一层</translation>
    </message>
    <message>
        <source>Memory ran out; repeated with {part} in memory at a time.</source>
        <translation>内存不足；已重试，每次只在内存中保留{part}。</translation>
    </message>
    <message>
        <source>Choose a smaller size or a smaller model, or close other programs.</source>
        <translation>请选择更小的尺寸或模型，或关闭其他程序。</translation>
    </message>
    <message>
        <source>It starts again with the next job. If this repeats, try a smaller picture or model.</source>
        <translation>下一个任务会重新启动引擎。如果反复出现，请尝试更小的图片或模型。</translation>
    </message>
    <message>
        <source>Starting the image engine…</source>
        <translation>正在启动图像引擎…</translation>
    </message>
    <message>
        <source>Another program changed the file: its layers were opened as they are there, without the masks, adjustments, texts and recipes that only Attune knows.</source>
        <translation>文件已被其他程序更改：已按现有图层打开，不含只有 Attune 支持的蒙版、调整、文字和生成参数。</translation>
    </message>
    <message>
        <source>Layers in another colour profile were converted to that of the lowest one.</source>
        <translation>颜色配置文件不同的图层已转换为最底层图层的配置文件。</translation>
    </message>
    <message>
        <source>None of the document&apos;s layers could be opened; it was opened flattened.</source>
        <translation>无法打开文档的图层；已拼合打开。</translation>
    </message>
    <message>
        <source>Some long EXIF entries were left out: EXIF in a JPEG holds 64 KB.</source>
        <translation>部分较长的 EXIF 条目未写入：JPEG 中的 EXIF 上限为 64 KB。</translation>
    </message>
    <message>
        <source>The camera maker&apos;s own notes were left out: EXIF in a JPEG holds 64 KB.</source>
        <translation>相机厂商注释未写入：JPEG 中的 EXIF 上限为 64 KB。</translation>
    </message>
    <message>
        <source>The document has 32 bits a channel; it was opened with 16, brighter values cut off.</source>
        <translation>文档为每通道 32 位；已以 16 位打开，超出的高光值被截断。</translation>
    </message>
    <message>
        <source>The file holds more than one picture; the first was opened.</source>
        <translation>文件包含多张图片；已打开第一张。</translation>
    </message>
    <message>
        <source>The picture has 16 bits a channel; it was opened with 8.</source>
        <translation>图片为每通道 16 位；已以 8 位打开。</translation>
    </message>
    <message>
        <source>The picture has more than 8 bits a channel; it was opened with 8.</source>
        <translation>图片每通道超过 8 位；已以 8 位打开。</translation>
    </message>
    <message>
        <source>The picture was converted from its colour profile for grey to sRGB.</source>
        <translation>图片已从灰度颜色配置文件转换为 sRGB。</translation>
    </message>
    <message>
        <source>The picture&apos;s colour profile for grey cannot be read and was left out.</source>
        <translation>无法读取图片的灰度颜色配置文件，已忽略。</translation>
    </message>
    <message>
        <source>The picture&apos;s colour profile is damaged and was left out.</source>
        <translation>图片的颜色配置文件已损坏，已忽略。</translation>
    </message>
</context>
<context>
    <name>Export</name>
    <message>
        <source>Pixels; 0 follows the other side, so that nothing is stretched</source>
        <translation>像素；0 表示按另一边等比例确定，不会变形</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>png, jpeg, webp, tiff or avif; else the file&apos;s ending says it</source>
        <translation>png、jpeg、webp、tiff 或 avif；否则由文件扩展名决定</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>品质</translation>
    </message>
    <message>
        <source>Like the original</source>
        <translation>与原图相同</translation>
    </message>
    <message>
        <source>Lossless</source>
        <translation>无损</translation>
    </message>
    <message>
        <source>Colour resolution</source>
        <translation>色度采样</translation>
    </message>
    <message>
        <source>Progressive</source>
        <translation>渐进式</translation>
    </message>
    <message>
        <source>Effort</source>
        <translation>压缩强度</translation>
    </message>
    <message>
        <source>Compression</source>
        <translation>压缩</translation>
    </message>
    <message>
        <source>Metadata</source>
        <translation>元数据</translation>
    </message>
    <message>
        <source>Location</source>
        <translation>拍摄地点</translation>
    </message>
    <message>
        <source>Bits per channel</source>
        <translation>位深（每通道）</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Scale</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Resampling</source>
        <translation>重新采样</translation>
    </message>
    <message>
        <source>Colour profile</source>
        <translation>颜色配置文件</translation>
    </message>
</context>
<context>
    <name>ExportDialog</name>
    <message>
        <source>Export</source>
        <translation>导出为</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>Lossless</source>
        <translation>无损</translation>
    </message>
    <message>
        <source>The quality and colour resolution of the JPEG that was opened: about as large, and as good.</source>
        <translation>沿用所打开 JPEG 的品质和色彩分辨率：文件大小和画质与原图相近。</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>品质</translation>
    </message>
    <message>
        <source>Metadata</source>
        <translation>元数据</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>All but the location</source>
        <translation>除地点外的全部</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Camera data and how the picture was made: lets you open the export again with its sliders, and tells others that it is AI-made.</source>
        <translation>相机数据和图片的制作方式：重新打开导出的文件时可恢复滑块，并告知他人图片由 AI 制作。</translation>
    </message>
    <message>
        <source>Like the original</source>
        <translation>与原图相同</translation>
    </message>
    <message>
        <source>Like the original ({quality}, {subsampling})</source>
        <translation>与原图相同（{quality}，{subsampling}）</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>…</source>
        <translation>…</translation>
    </message>
    <message>
        <source>Computing…</source>
        <translation>正在计算…</translation>
    </message>
    <message>
        <source>{count} more</source>
        <translation>另外 {count} 项</translation>
    </message>
    <message>
        <source>This format has no place for: {names}</source>
        <translation>此格式无法保存：{names}</translation>
    </message>
    <message>
        <source>No preview</source>
        <translation>无法预览</translation>
    </message>
    <message>
        <source>{width} × {height} px · {size}</source>
        <translation>{width} × {height} 像素 · {size}</translation>
    </message>
    <message>
        <source>picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Fast</source>
        <translation>快速</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>标准</translation>
    </message>
    <message>
        <source>Smallest file</source>
        <translation>文件最小</translation>
    </message>
    <message>
        <source>Nearest pixel</source>
        <translation>邻近</translation>
    </message>
    <message>
        <source>Bilinear</source>
        <translation>两次线性</translation>
    </message>
    <message>
        <source>Bicubic</source>
        <translation>两次立方</translation>
    </message>
    <message>
        <source>Lanczos</source>
        <translation>Lanczos</translation>
    </message>
    <message>
        <source>As the document</source>
        <translation>与文档相同</translation>
    </message>
    <message>
        <source>8 bits</source>
        <translation>8 位</translation>
    </message>
    <message>
        <source>16 bits</source>
        <translation>16 位</translation>
    </message>
</context>
<context>
    <name>ExportPreview</name>
    <message>
        <source>Preview: the original left, the export right</source>
        <translation>预览：左侧为原图，右侧为导出结果</translation>
    </message>
    <message>
        <source>Wheel: zoom. Drag: move. Drag the line: compare. Double click: 100 % or fit.</source>
        <translation>滚轮缩放，拖动平移；拖动分割线进行对比；双击在 100 % 与适合窗口间切换。</translation>
    </message>
    <message>
        <source>Original</source>
        <translation>原图</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
</context>
<context>
    <name>FileFormat</name>
    <message>
        <source>OpenRaster project</source>
        <translation>OpenRaster 工程</translation>
    </message>
    <message>
        <source>PNG</source>
        <translation>PNG</translation>
    </message>
    <message>
        <source>JPEG</source>
        <translation>JPEG</translation>
    </message>
    <message>
        <source>WebP</source>
        <translation>WebP</translation>
    </message>
    <message>
        <source>TIFF</source>
        <translation>TIFF</translation>
    </message>
    <message>
        <source>AVIF</source>
        <translation>AVIF</translation>
    </message>
    <message>
        <source>HEIF</source>
        <translation>HEIF</translation>
    </message>
    <message>
        <source>Photoshop document</source>
        <translation>Photoshop 文档</translation>
    </message>
    <message>
        <source>Camera raw</source>
        <translation>相机原始文件</translation>
    </message>
    <message>
        <source>JPEG XL</source>
        <translation>JPEG XL</translation>
    </message>
    <message>
        <source>SVG drawing</source>
        <translation>SVG 矢量图形</translation>
    </message>
    <message>
        <source>OpenEXR and Radiance HDR</source>
        <translation>OpenEXR 和 Radiance HDR</translation>
    </message>
    <message>
        <source>Other pictures</source>
        <translation>其他图片</translation>
    </message>
</context>
<context>
    <name>FileList</name>
    <message>
        <source>Files</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>When the batch begins, its files are listed here.</source>
        <translation>批处理开始后，文件会列在这里。</translation>
    </message>
    <message>
        <source>No file failed.</source>
        <translation>没有失败的文件。</translation>
    </message>
</context>
<context>
    <name>FileModel</name>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>用时</translation>
    </message>
    <message>
        <source>What went wrong</source>
        <translation>出错原因</translation>
    </message>
</context>
<context>
    <name>Filmstrip</name>
    <message>
        <source>Make variations</source>
        <translation>生成变体</translation>
    </message>
    <message>
        <source>The same prompt with other seeds.</source>
        <translation>相同提示词，不同种子。</translation>
    </message>
    <message>
        <source>This edit is the same with every seed.</source>
        <translation>这项编辑不随种子变化。</translation>
    </message>
    <message>
        <source>Pictures made from a prompt can be varied here.</source>
        <translation>由提示词生成的图片可在此生成变体。</translation>
    </message>
</context>
<context>
    <name>FolderField</name>
    <message>
        <source>Choose a folder, or drop one here</source>
        <translation>选择文件夹，或拖放到此处</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>选择…</translation>
    </message>
</context>
<context>
    <name>Forms</name>
    <message>
        <source>Width (pixels)</source>
        <translation>宽度（像素）</translation>
    </message>
    <message>
        <source>Height (pixels)</source>
        <translation>高度（像素）</translation>
    </message>
    <message>
        <source>Keep proportions</source>
        <translation>约束比例</translation>
    </message>
    <message>
        <source>New pixels</source>
        <translation>重新采样</translation>
    </message>
    <message>
        <source>Resolution (pixels per inch)</source>
        <translation>分辨率（像素/英寸）</translation>
    </message>
    <message>
        <source>The picture stays</source>
        <translation>定位</translation>
    </message>
    <message>
        <source>Angle (degrees, clockwise)</source>
        <translation>角度（度，顺时针）</translation>
    </message>
    <message>
        <source>Cut off the empty corners</source>
        <translation>裁去空白角落</translation>
    </message>
    <message>
        <source>Pixels</source>
        <translation>像素</translation>
    </message>
    <message>
        <source>Nearest neighbour (hard edges)</source>
        <translation>邻近（硬边缘）</translation>
    </message>
    <message>
        <source>Bilinear</source>
        <translation>两次线性</translation>
    </message>
    <message>
        <source>Bicubic</source>
        <translation>两次立方</translation>
    </message>
    <message>
        <source>Lanczos (sharpest)</source>
        <translation>Lanczos（最锐利）</translation>
    </message>
    <message>
        <source>At the top left</source>
        <translation>左上</translation>
    </message>
    <message>
        <source>At the top</source>
        <translation>上</translation>
    </message>
    <message>
        <source>At the top right</source>
        <translation>右上</translation>
    </message>
    <message>
        <source>At the left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>In the middle</source>
        <translation>居中</translation>
    </message>
    <message>
        <source>At the right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>At the bottom left</source>
        <translation>左下</translation>
    </message>
    <message>
        <source>At the bottom</source>
        <translation>下</translation>
    </message>
    <message>
        <source>At the bottom right</source>
        <translation>右下</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>更改</translation>
    </message>
    <message>
        <source>Picture size</source>
        <translation>图像大小</translation>
    </message>
    <message>
        <source>Resize</source>
        <translation>调整大小</translation>
    </message>
    <message>
        <source>Canvas size</source>
        <translation>画布大小</translation>
    </message>
    <message>
        <source>Rotate by an angle</source>
        <translation>任意角度旋转</translation>
    </message>
    <message>
        <source>Rotate</source>
        <translation>旋转</translation>
    </message>
    <message>
        <source>Grow selection</source>
        <translation>扩展选区</translation>
    </message>
    <message>
        <source>Shrink selection</source>
        <translation>收缩选区</translation>
    </message>
    <message>
        <source>Feather selection</source>
        <translation>羽化选区</translation>
    </message>
    <message>
        <source>Border of the selection</source>
        <translation>选区边界</translation>
    </message>
    <message>
        <source>Smooth selection</source>
        <translation>平滑选区</translation>
    </message>
</context>
<context>
    <name>HistoryDialog</name>
    <message>
        <source>Save what was done as a recipe</source>
        <translation>将所做的保存为配方</translation>
    </message>
    <message>
        <source>What is checked is done to other pictures in this order, by a batch or one by one.</source>
        <translation>勾选的步骤会按此顺序用于其他图片，可批处理，也可逐张应用。</translation>
    </message>
    <message>
        <source>recipe</source>
        <translation>配方</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步骤</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Recipe (*.json)</source>
        <translation>配方 (*.json)</translation>
    </message>
</context>
<context>
    <name>HistoryModel</name>
    <message>
        <source>{step}, undone</source>
        <translation>{step}，已撤销</translation>
    </message>
    <message>
        <source>{step}, saved</source>
        <translation>{step}，已保存</translation>
    </message>
</context>
<context>
    <name>HistoryPanel</name>
    <message>
        <source>History</source>
        <translation>历史记录</translation>
    </message>
    <message>
        <source>New from prompt</source>
        <translation>用提示词新建</translation>
    </message>
    <message>
        <source>Opened</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Go to this state</source>
        <translation>转到此状态</translation>
    </message>
    <message>
        <source>Compare with this</source>
        <translation>与此状态对比</translation>
    </message>
</context>
<context>
    <name>Information</name>
    <message>
        <source>How this picture was made</source>
        <translation>图片的制作方式</translation>
    </message>
    <message>
        <source>Copy as text</source>
        <translation>复制为文本</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>{width} × {height} px</source>
        <translation>{width} × {height} 像素</translation>
    </message>
    <message>
        <source>Made by</source>
        <translation>来源</translation>
    </message>
    <message>
        <source>opened from a file</source>
        <translation>从文件打开</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Without</source>
        <translation>排除内容</translation>
    </message>
    <message>
        <source>Bits per channel</source>
        <translation>位深（每通道）</translation>
    </message>
    <message>
        <source>Resolution</source>
        <translation>分辨率</translation>
    </message>
    <message>
        <source>Colour profile</source>
        <translation>颜色配置文件</translation>
    </message>
    <message>
        <source>Location</source>
        <translation>拍摄地点</translation>
    </message>
    <message>
        <source>unnamed</source>
        <translation>未命名</translation>
    </message>
    <message>
        <source>contained</source>
        <translation>包含的内容</translation>
    </message>
    <message>
        <source>Camera maker</source>
        <translation>相机厂商</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>相机</translation>
    </message>
    <message>
        <source>Software</source>
        <translation>软件</translation>
    </message>
    <message>
        <source>Artist</source>
        <translation>作者</translation>
    </message>
    <message>
        <source>Copyright</source>
        <translation>版权</translation>
    </message>
    <message>
        <source>Taken</source>
        <translation>拍摄时间</translation>
    </message>
    <message>
        <source>Lens</source>
        <translation>镜头</translation>
    </message>
    <message>
        <source>Exposure</source>
        <translation>曝光时间</translation>
    </message>
    <message>
        <source>Aperture</source>
        <translation>光圈</translation>
    </message>
    <message>
        <source>ISO</source>
        <translation>ISO</translation>
    </message>
    <message>
        <source>Focal length</source>
        <translation>焦距</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>引导强度</translation>
    </message>
</context>
<context>
    <name>InsertKinds</name>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Another subject in the place of one: change its word.</source>
        <translation>用另一主体替换：改掉它的词。</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>One subject more: select the place, and name it in the second sentence.</source>
        <translation>多一个主体：选好位置，并在第二句中写出它。</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>One subject less: select it roughly, and leave it out of the second sentence.</source>
        <translation>少一个主体：大致选中它，并在第二句中去掉它。</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>更改</translation>
    </message>
    <message>
        <source>Clothes, hair or material: describe the subject otherwise.</source>
        <translation>衣服、头发或材质：换一种方式描述主体。</translation>
    </message>
    <message>
        <source>Style</source>
        <translation>风格</translation>
    </message>
    <message>
        <source>The look of everything, or of the selection.</source>
        <translation>整幅画面或选区的外观。</translation>
    </message>
</context>
<context>
    <name>InsertPanel</name>
    <message>
        <source>The picture shows</source>
        <translation>画面现在是</translation>
    </message>
    <message>
        <source>a photo of a man and a woman</source>
        <translation>a photo of a man and a woman</translation>
    </message>
    <message>
        <source>It is to show</source>
        <translation>希望变成</translation>
    </message>
    <message>
        <source>a photo of a man and a cat</source>
        <translation>a photo of a man and a cat</translation>
    </message>
    <message>
        <source>Only in the selection</source>
        <translation>仅在选区内</translation>
    </message>
    <message>
        <source>Draw a box</source>
        <translation>画一个框</translation>
    </message>
    <message>
        <source>Take the rectangle in hand; brush and lasso selections work as well</source>
        <translation>拿起矩形选框；画笔和套索选区同样可用</translation>
    </message>
    <message>
        <source>Strength</source>
        <translation>强度</translation>
    </message>
    <message>
        <source>How much of the change is there; double click takes all of it</source>
        <translation>更改的程度；双击为完整更改</translation>
    </message>
    <message>
        <source>Weight of words</source>
        <translation>词的权重</translation>
    </message>
    <message>
        <source>What was changed here counts once the layer is made again.</source>
        <translation>此处的更改要等重新生成图层后才会生效。</translation>
    </message>
    <message>
        <source>Where something is drawn anew, another seed gives another picture of it</source>
        <translation>在重新绘制的地方，换一个种子会得到不同的图像</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Weight of “{word}”</source>
        <translation>“{word}”的权重</translation>
    </message>
    <message>
        <source>How much the picture listens to “{word}”</source>
        <translation>画面在多大程度上遵从“{word}”</translation>
    </message>
    <message>
        <source>Write “{word}” where the cursor is</source>
        <translation>在光标处写入“{word}”</translation>
    </message>
    <message>
        <source>Write two sentences: what the picture shows, and what is to be different</source>
        <translation>请写两句话：画面现在是什么，以及哪里要不同</translation>
    </message>
    <message>
        <source>Working…</source>
        <translation>正在处理…</translation>
    </message>
    <message>
        <source>Make again</source>
        <translation>重新生成</translation>
    </message>
</context>
<context>
    <name>Insertion</name>
    <message>
        <source>Insert: {prompt}</source>
        <translation>插入：{prompt}</translation>
    </message>
    <message>
        <source>Strengths</source>
        <translation>各档强度</translation>
    </message>
    <message>
        <source>Strength {strength}</source>
        <translation>强度 {strength}</translation>
    </message>
    <message>
        <source>Insert {prompt}</source>
        <translation>插入{prompt}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>插入</translation>
    </message>
</context>
<context>
    <name>JobPanel</name>
    <message>
        <source>Nothing is running.</source>
        <translation>没有正在运行的任务。</translation>
    </message>
    <message>
        <source>loading the model</source>
        <translation>正在加载模型</translation>
    </message>
    <message>
        <source>reading the prompt</source>
        <translation>正在读取提示词</translation>
    </message>
    <message>
        <source>finishing the picture</source>
        <translation>正在完成图片</translation>
    </message>
    <message>
        <source>{count} s</source>
        <translation>{count} 秒</translation>
    </message>
    <message>
        <source>{count} min</source>
        <translation>{count} 分钟</translation>
    </message>
    <message>
        <source>{count} h</source>
        <translation>{count} 小时</translation>
    </message>
</context>
<context>
    <name>JobRow</name>
    <message>
        <source>waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>Stop this job</source>
        <translation>停止此任务</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>正在启动</translation>
    </message>
    <message>
        <source>waiting; goes on by itself</source>
        <translation>等待中，会自动继续</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>step {done} of {total}</source>
        <translation>第 {done}/{total} 步</translation>
    </message>
    <message>
        <source>{words} · {time} left</source>
        <translation>{words} · 剩余 {time}</translation>
    </message>
</context>
<context>
    <name>LayerDelegate</name>
    <message>
        <source>older picture</source>
        <translation>画面已更改</translation>
    </message>
    <message>
        <source>editable</source>
        <translation>可编辑</translation>
    </message>
</context>
<context>
    <name>LayerModel</name>
    <message>
        <source>seed {seed}</source>
        <translation>种子 {seed}</translation>
    </message>
    <message>
        <source>“{name}” was made from an older state of the picture below it.</source>
        <translation>“{name}”是根据下方画面的旧状态生成的。</translation>
    </message>
    <message>
        <source>Make it again: right-click, or the button in the panel “Subjects”.</source>
        <translation>重新生成：点击右键，或使用“主体”面板中的按钮。</translation>
    </message>
    <message>
        <source>{prompt}
Double click shows its sliders.</source>
        <translation>{prompt}
双击显示滑块。</translation>
    </message>
    <message>
        <source>{width} × {height} pixels</source>
        <translation>{width} × {height} 像素</translation>
    </message>
    <message>
        <source>{name}
Double click shows its settings.</source>
        <translation>{name}
双击显示设置。</translation>
    </message>
    <message>
        <source>of an older state</source>
        <translation>基于旧状态</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>已隐藏</translation>
    </message>
    <message>
        <source>locked</source>
        <translation>已锁定</translation>
    </message>
    <message>
        <source>clipped</source>
        <translation>已剪贴</translation>
    </message>
    <message>
        <source>with mask</source>
        <translation>带蒙版</translation>
    </message>
    <message>
        <source>{family} {size} px</source>
        <translation>{family} {size} 像素</translation>
    </message>
    <message>
        <source>{width} × {height} px</source>
        <translation>{width} × {height} 像素</translation>
    </message>
    <message>
        <source>adjustment layer</source>
        <translation>调整图层</translation>
    </message>
    <message>
        <source>1 layer</source>
        <translation>1 个图层</translation>
    </message>
    <message>
        <source>{count} layers</source>
        <translation>{count} 个图层</translation>
    </message>
    <message>
        <source>pass through</source>
        <translation>穿透</translation>
    </message>
</context>
<context>
    <name>LayerPanel</name>
    <message>
        <source>Layers</source>
        <translation>图层</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Add mask</source>
        <translation>添加蒙版</translation>
    </message>
    <message>
        <source>Show one layer alone</source>
        <translation>单独显示一个图层</translation>
    </message>
    <message>
        <source>Enable mask</source>
        <translation>启用蒙版</translation>
    </message>
    <message>
        <source>Disable mask</source>
        <translation>停用蒙版</translation>
    </message>
    <message>
        <source>Unlock layer</source>
        <translation>解锁图层</translation>
    </message>
    <message>
        <source>Move {count} layers</source>
        <translation>移动 {count} 个图层</translation>
    </message>
</context>
<context>
    <name>LayerProperties</name>
    <message>
        <source>Opacity</source>
        <translation>不透明度</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>Opacity in percent</source>
        <translation>不透明度百分比</translation>
    </message>
    <message>
        <source>Blend mode to {value}</source>
        <translation>混合模式设为{value}</translation>
    </message>
    <message>
        <source>Opacity to {value} %</source>
        <translation>不透明度设为 {value} %</translation>
    </message>
</context>
<context>
    <name>LevelsEditor</name>
    <message>
        <source>Input levels</source>
        <translation>输入色阶</translation>
    </message>
    <message>
        <source>Output levels</source>
        <translation>输出色阶</translation>
    </message>
    <message>
        <source>Black point</source>
        <translation>黑场</translation>
    </message>
    <message>
        <source>Gamma</source>
        <translation>灰度系数</translation>
    </message>
    <message>
        <source>White point</source>
        <translation>白场</translation>
    </message>
    <message>
        <source>Darkest output</source>
        <translation>输出黑场</translation>
    </message>
    <message>
        <source>Brightest output</source>
        <translation>输出白场</translation>
    </message>
</context>
<context>
    <name>LevelsTrack</name>
    <message>
        <source>Drag the handles; keys: Page Up and Page Down choose one, arrows move it</source>
        <translation>拖动滑块；按键：Page Up 和 Page Down 选择，方向键移动</translation>
    </message>
</context>
<context>
    <name>LockButtons</name>
    <message>
        <source>Lock transparency</source>
        <translation>锁定透明像素</translation>
    </message>
    <message>
        <source>Lock position</source>
        <translation>锁定位置</translation>
    </message>
    <message>
        <source>Lock the whole layer</source>
        <translation>锁定全部</translation>
    </message>
    <message>
        <source>Lock layer</source>
        <translation>锁定图层</translation>
    </message>
    <message>
        <source>Unlock layer</source>
        <translation>解锁图层</translation>
    </message>
</context>
<context>
    <name>LongJobs</name>
    <message>
        <source>What “{label}” has done so far cannot be kept: {reason}</source>
        <translation>“{label}”目前的进度无法保存：{reason}</translation>
    </message>
</context>
<context>
    <name>LoraRow</name>
    <message>
        <source>Strength of {name}</source>
        <translation>{name} 的强度</translation>
    </message>
    <message>
        <source>1 is what it was trained for, 0 is without it; double-click for 1</source>
        <translation>1 为训练时的强度，0 为不使用；双击恢复为 1</translation>
    </message>
    <message>
        <source>More about {name}</source>
        <translation>{name} 的更多选项</translation>
    </message>
    <message>
        <source>words, parted by commas</source>
        <translation>词语，以逗号分隔</translation>
    </message>
    <message>
        <source>Words of {name}</source>
        <translation>{name} 的触发词</translation>
    </message>
    <message>
        <source>Put “{word}” into the prompt</source>
        <translation>将“{word}”写入提示词</translation>
    </message>
    <message>
        <source>Change its words</source>
        <translation>更改它的触发词</translation>
    </message>
    <message>
        <source>Do without it</source>
        <translation>不使用它</translation>
    </message>
    <message>
        <source>Forget it (its file stays)</source>
        <translation>从列表中移除（文件保留）</translation>
    </message>
    <message>
        <source>{word}: put it into the prompt</source>
        <translation>{word}：放入提示词</translation>
    </message>
</context>
<context>
    <name>LoraSection</name>
    <message>
        <source>Use a LoRA</source>
        <translation>使用 LoRA</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>添加…</translation>
    </message>
    <message>
        <source>LoRA files (.safetensors), also by a drop; they stay where they are</source>
        <translation>LoRA 文件（.safetensors），也可拖放；文件留在原处</translation>
    </message>
    <message>
        <source>LoRAs</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>Add LoRAs</source>
        <translation>添加 LoRA</translation>
    </message>
    <message>
        <source>LoRAs (*.safetensors)</source>
        <translation>LoRA (*.safetensors)</translation>
    </message>
    <message>
        <source>Use one…</source>
        <translation>选用一个…</translation>
    </message>
    <message>
        <source>All are in use</source>
        <translation>已全部使用</translation>
    </message>
    <message>
        <source>None for this model</source>
        <translation>没有适用于此模型的</translation>
    </message>
    <message>
        <source>None yet</source>
        <translation>尚无</translation>
    </message>
</context>
<context>
    <name>Loras</name>
    <message>
        <source>Added {names}. Their sliders say how strong they are.</source>
        <translation>已添加 {names}。用滑块调节强度。</translation>
    </message>
    <message>
        <source>Added LoRAs: {count}. Choose from them what pictures are to have.</source>
        <translation>已添加 {count} 个 LoRA。请从中选择图片要用的。</translation>
    </message>
</context>
<context>
    <name>Losses</name>
    <message>
        <source>the comment</source>
        <translation>注释</translation>
    </message>
    <message>
        <source>the text “{name}”</source>
        <translation>文本“{name}”</translation>
    </message>
    <message>
        <source>captions and keywords (IPTC)</source>
        <translation>标题和关键字（IPTC）</translation>
    </message>
    <message>
        <source>Photoshop&apos;s own data</source>
        <translation>Photoshop 专有数据</translation>
    </message>
    <message>
        <source>the camera maker&apos;s notes</source>
        <translation>相机厂商注释</translation>
    </message>
    <message>
        <source>data of {name}</source>
        <translation>{name} 的数据</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Subjects</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>Properties</source>
        <translation>属性</translation>
    </message>
    <message>
        <source>AI edits</source>
        <translation>AI 编辑</translation>
    </message>
    <message>
        <source>Layers</source>
        <translation>图层</translation>
    </message>
    <message>
        <source>History</source>
        <translation>历史记录</translation>
    </message>
    <message>
        <source>Variations</source>
        <translation>变体</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>任务</translation>
    </message>
</context>
<context>
    <name>MaskProperties</name>
    <message>
        <source>Mask</source>
        <translation>蒙版</translation>
    </message>
    <message>
        <source>Use the mask</source>
        <translation>启用蒙版</translation>
    </message>
    <message>
        <source>Moves with its layer</source>
        <translation>与图层链接</translation>
    </message>
    <message>
        <source>Paint on the mask</source>
        <translation>在蒙版上绘制</translation>
    </message>
    <message>
        <source>Enable mask</source>
        <translation>启用蒙版</translation>
    </message>
    <message>
        <source>Disable mask</source>
        <translation>停用蒙版</translation>
    </message>
    <message>
        <source>Link mask</source>
        <translation>链接蒙版</translation>
    </message>
    <message>
        <source>Unlink mask</source>
        <translation>取消链接蒙版</translation>
    </message>
</context>
<context>
    <name>MessageBar</name>
    <message>
        <source>Close this message</source>
        <translation>关闭此消息</translation>
    </message>
</context>
<context>
    <name>ModelButton</name>
    <message>
        <source>The model that makes this picture; click for all models</source>
        <translation>生成此图片的模型；单击查看所有模型</translation>
    </message>
</context>
<context>
    <name>ModelDialog</name>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Folder, .safetensors file, or hub id such as owner/name</source>
        <translation>文件夹、.safetensors 文件，或形如 owner/name 的 Hub ID</translation>
    </message>
    <message>
        <source>Folder, file or hub id of a model</source>
        <translation>模型的文件夹、文件或 Hub ID</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>浏览…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>文件夹…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Add all models in a folder, such as ComfyUI&apos;s or A1111&apos;s; they stay there</source>
        <translation>添加文件夹中的所有模型，例如 ComfyUI 或 A1111 的；文件保留在原处</translation>
    </message>
    <message>
        <source>Access token of huggingface.co (only for models that ask to sign in)</source>
        <translation>huggingface.co 的访问令牌（仅用于需要登录的模型）</translation>
    </message>
    <message>
        <source>Access token</source>
        <translation>访问令牌</translation>
    </message>
    <message>
        <source>Open its page</source>
        <translation>打开其页面</translation>
    </message>
    <message>
        <source>Sign in there, accept the licence, and make a token</source>
        <translation>在那里登录、接受许可，并创建令牌</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>下载</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Use for new pictures</source>
        <translation>用于新图片</translation>
    </message>
    <message>
        <source>New from prompt…</source>
        <translation>用提示词新建…</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>检查</translation>
    </message>
    <message>
        <source>Remove from list</source>
        <translation>从列表中移除</translation>
    </message>
    <message>
        <source>Autoencoder…</source>
        <translation>自编码器…</translation>
    </message>
    <message>
        <source>Use the model with another autoencoder (VAE), as an entry of its own; it stays as it is</source>
        <translation>用另一个自编码器（VAE）使用该模型，作为单独的条目；模型本身不变</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>The sandbox models come with Attune and draw small cartoon scenes. For photos, download a model, or add one that is on this computer: it is used where it lies. Nothing is uploaded.</source>
        <translation>沙盒模型随 Attune 提供，绘制小型卡通场景。要生成照片，请下载模型，或添加本机上已有的模型：直接在原处使用。不会上传任何内容。</translation>
    </message>
    <message>
        <source>Add a checkpoint</source>
        <translation>添加模型文件</translation>
    </message>
    <message>
        <source>Checkpoints (*.safetensors);;model_index.json</source>
        <translation>模型文件 (*.safetensors);;model_index.json</translation>
    </message>
    <message>
        <source>Added {name}.</source>
        <translation>已添加 {name}。</translation>
    </message>
    <message>
        <source>Looking at the model…</source>
        <translation>正在查看模型…</translation>
    </message>
    <message>
        <source>Add all models in a folder</source>
        <translation>添加文件夹中的所有模型</translation>
    </message>
    <message>
        <source>Looking through {folder}: {folders} folders, {found} models…</source>
        <translation>正在查找 {folder}：{folders} 个文件夹，{found} 个模型…</translation>
    </message>
    <message>
        <source>Stopped. The models that were found before are in the list.</source>
        <translation>已停止。此前找到的模型已在列表中。</translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) in {folder}.</source>
        <translation>
            <numerusform>{folder} 中有 %n 个模型。</numerusform>
        </translation>
    </message>
    <message>
        <source>Looking through {folder}…</source>
        <translation>正在查找 {folder}…</translation>
    </message>
    <message>
        <source>{name} is complete.</source>
        <translation>{name} 完整无缺。</translation>
    </message>
    <message>
        <source>Checking {name}…</source>
        <translation>正在检查 {name}…</translation>
    </message>
    <message>
        <source>Another autoencoder for {name}</source>
        <translation>{name} 的另一个自编码器</translation>
    </message>
    <message>
        <source>Autoencoders (*.safetensors);;config.json</source>
        <translation>自编码器 (*.safetensors);;config.json</translation>
    </message>
    <message>
        <source>{name} is no longer listed; its files are where they were.</source>
        <translation>{name} 已从列表移除；其文件仍在原处。</translation>
    </message>
</context>
<context>
    <name>ModelRow</name>
    <message>
        <source>sandbox</source>
        <translation>沙盒</translation>
    </message>
    <message>
        <source>used for new pictures</source>
        <translation>用于新图片</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>The classic: small, quick, and most additions are made for it</source>
        <translation>经典模型：小巧、快速，附加模型最多</translation>
    </message>
    <message>
        <source>Portraits and painting on a small graphics card</source>
        <translation>小显存显卡上的人像与绘画</translation>
    </message>
    <message>
        <source>Large pictures of everything; the published sliders are made for it</source>
        <translation>各种题材的大图；已发布的滑块专为它制作</translation>
    </message>
    <message>
        <source>People and places as in photographs</source>
        <translation>照片般的人物与场景</translation>
    </message>
    <message>
        <source>A picture in four steps, to try ideas quickly</source>
        <translation>四步成图，快速尝试想法</translation>
    </message>
    <message>
        <source>Follows long prompts best, and writes words into pictures</source>
        <translation>最能遵循长提示词，并能在图中写字</translation>
    </message>
    <message>
        <source>autoencoder: {name}</source>
        <translation>自编码器：{name}</translation>
    </message>
    <message>
        <source>{size} GB</source>
        <translation>{size} GB</translation>
    </message>
    <message>
        <source>{memory} GB of memory at {picture} px</source>
        <translation>{picture} px 时需 {memory} GB 显存</translation>
    </message>
    <message>
        <source>Added {name}. Choose it under Models for new pictures.</source>
        <translation>已添加 {name}。可在“模型”中选择它来生成新图片。</translation>
    </message>
    <message>
        <source>{name} is here. New pictures are made with it.</source>
        <translation>{name} 已就绪，新图片将用它生成。</translation>
    </message>
    <message>
        <source>{name} · sandbox</source>
        <translation>{name} · 沙盒</translation>
    </message>
</context>
<context>
    <name>NewCanvas</name>
    <message>
        <source>New canvas</source>
        <translation>新建画布</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Own size</source>
        <translation>自定大小</translation>
    </message>
    <message>
        <source>As the clipboard</source>
        <translation>与剪贴板相同</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Swap width and height</source>
        <translation>互换宽度和高度</translation>
    </message>
    <message>
        <source> px/in</source>
        <translation> 像素/英寸</translation>
    </message>
    <message>
        <source>Resolution</source>
        <translation>分辨率</translation>
    </message>
    <message>
        <source>Bits per channel</source>
        <translation>位深（每通道）</translation>
    </message>
    <message>
        <source>Background</source>
        <translation>背景</translation>
    </message>
    <message>
        <source>White</source>
        <translation>白色</translation>
    </message>
    <message>
        <source>Transparent</source>
        <translation>透明</translation>
    </message>
    <message>
        <source>Black</source>
        <translation>黑色</translation>
    </message>
    <message>
        <source>Grey</source>
        <translation>灰色</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>创建</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source> px</source>
        <translation> 像素</translation>
    </message>
</context>
<context>
    <name>NewPicture</name>
    <message>
        <source>New from prompt</source>
        <translation>用提示词新建</translation>
    </message>
    <message>
        <source>a photo of a man and a woman on the beach</source>
        <translation>a photo of a man and a woman on the beach</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>What should not be there (optional)</source>
        <translation>不希望出现的内容（可选）</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Another seed</source>
        <translation>换一个种子</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>Guidance scale</source>
        <translation>引导强度</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>采样器</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Without</source>
        <translation>排除内容</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>LoRAs</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>Automatic ({value})</source>
        <translation>自动（{value}）</translation>
    </message>
    <message>
        <source>A small built-in model for trying things out. It draws cartoon scenes of people (man, woman), animals (cat, dog) and things (car, ball, tree, house). For photos, add a checkpoint under Models.</source>
        <translation>用于试用的小型内置模型，只懂英文提示词。可绘制人物（man、woman）、动物（cat、dog）和物品（car、ball、tree、house）的卡通场景。处理照片请在“模型”中添加模型文件。</translation>
    </message>
</context>
<context>
    <name>NumberField</name>
    <message>
        <source>{low} to {high}</source>
        <translation>{low} 至 {high}</translation>
    </message>
</context>
<context>
    <name>OfferRow</name>
    <message>
        <source>sign in first</source>
        <translation>需要登录</translation>
    </message>
    <message>
        <source>to download</source>
        <translation>可下载</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>已在本机</translation>
    </message>
</context>
<context>
    <name>OlderNotice</name>
    <message>
        <source>Make again</source>
        <translation>重新生成</translation>
    </message>
    <message>
        <source>The same edits on the picture as it is now</source>
        <translation>在当前画面上应用相同的编辑</translation>
    </message>
    <message>
        <source>The picture below was changed after this layer was made from it.</source>
        <translation>此图层生成之后，下方的画面有了更改。</translation>
    </message>
    <message>
        <source>The picture has another form now. The sliders work again once the layer is made anew.</source>
        <translation>画面的形状已改变。重新生成图层后，滑块即可继续使用。</translation>
    </message>
    <message>
        <source>Working…</source>
        <translation>正在处理…</translation>
    </message>
</context>
<context>
    <name>OlderStates</name>
    <message>
        <source>“{name}” was made from an older state of the picture below it.</source>
        <translation>“{name}”是根据下方画面的旧状态生成的。</translation>
    </message>
    <message>
        <source>Layer › Make again from the picture below brings it up to date.</source>
        <translation>选择“图层 › 根据下方画面重新生成”即可更新。</translation>
    </message>
</context>
<context>
    <name>OperationPanel</name>
    <message>
        <source>Operation</source>
        <translation>操作</translation>
    </message>
    <message>
        <source>Working…</source>
        <translation>正在处理…</translation>
    </message>
    <message>
        <source>Make again</source>
        <translation>重新生成</translation>
    </message>
    <message>
        <source>Open a picture first.</source>
        <translation>请先打开一张图片。</translation>
    </message>
    <message>
        <source>The active layer was made this way; it is made again from the same picture.</source>
        <translation>当前图层就是这样生成的；将用同一张图片重新生成。</translation>
    </message>
    <message>
        <source>The result opens as a picture of its own; this one stays as it is.</source>
        <translation>结果会作为单独的图片打开；当前图片保持不变。</translation>
    </message>
    <message>
        <source>The result becomes a layer of its own above the active one.</source>
        <translation>结果将成为当前图层上方的独立图层。</translation>
    </message>
</context>
<context>
    <name>Operations</name>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>Guidance scale</source>
        <translation>引导强度</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>采样器</translation>
    </message>
    <message>
        <source>Attributes</source>
        <translation>属性</translation>
    </message>
    <message>
        <source>Delay</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>Attribute</source>
        <translation>属性</translation>
    </message>
    <message>
        <source>Positions</source>
        <translation>位置</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>Subjects</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>Refinement step</source>
        <translation>细化步骤</translation>
    </message>
    <message>
        <source>The step before which the latents are refined, counted from 0</source>
        <translation>在此步之前细化潜变量，从 0 开始计数</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>更新次数</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>学习率</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>阈值</translation>
    </message>
    <message>
        <source>Refinement stops when the loss is at most 1 minus this</source>
        <translation>当损失不大于 1 减去此值时停止细化</translation>
    </message>
    <message>
        <source>Loss of the refinement</source>
        <translation>细化损失</translation>
    </message>
    <message>
        <source>Loss of the guidance</source>
        <translation>引导损失</translation>
    </message>
    <message>
        <source>First guided step</source>
        <translation>引导起始步</translation>
    </message>
    <message>
        <source>End of the guidance</source>
        <translation>引导结束</translation>
    </message>
    <message>
        <source>The first step that is no longer guided</source>
        <translation>不再引导的第一步</translation>
    </message>
    <message>
        <source>Step size of the guidance</source>
        <translation>引导步长</translation>
    </message>
    <message>
        <source>One distribution for all pictures</source>
        <translation>所有图片共用一个分布</translation>
    </message>
    <message>
        <source>SAGA learns once and draws all pictures from it</source>
        <translation>SAGA 只学习一次，并由此生成所有图片</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Heat maps</source>
        <translation>热力图</translation>
    </message>
    <message>
        <source>At how many steps the subjects&apos; attention is kept</source>
        <translation>保留多少步的主体注意力</translation>
    </message>
    <message>
        <source>Detection model</source>
        <translation>检测模型</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Only this subject</source>
        <translation>仅此主体</translation>
    </message>
    <message>
        <source>Everything outside of the subjects that change stays as it is</source>
        <translation>所改主体之外的一切保持原样</translation>
    </message>
    <message>
        <source>Only here</source>
        <translation>仅限此处</translation>
    </message>
    <message>
        <source>What the picture shows</source>
        <translation>图片中的内容</translation>
    </message>
    <message>
        <source>Concepts</source>
        <translation>概念</translation>
    </message>
    <message>
        <source>Learnt words that stand in the prompt</source>
        <translation>提示词中出现的已学词语</translation>
    </message>
    <message>
        <source>Weights in prompts</source>
        <translation>提示词中的权重</translation>
    </message>
    <message>
        <source>Read (word:1.2), ((word)) and [word] as more or less of a word</source>
        <translation>将 (word:1.2)、((word)) 和 [word] 视为加强或减弱一个词</translation>
    </message>
    <message>
        <source>LoRAs</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>How the rest is kept</source>
        <translation>如何保持其余部分</translation>
    </message>
    <message>
        <source>By words that are read only where they belong, by the picture, or by both</source>
        <translation>通过只在所属位置读取的词语、通过图片，或两者并用</translation>
    </message>
    <message>
        <source>Area</source>
        <translation>区域</translation>
    </message>
    <message>
        <source>Inversion</source>
        <translation>反演</translation>
    </message>
    <message>
        <source>How the model comes back to the picture</source>
        <translation>模型还原图片的方法</translation>
    </message>
    <message>
        <source>From where it stands</source>
        <translation>从图片现有状态开始</translation>
    </message>
    <message>
        <source>A slider begins at what the picture shows, and reaches both ends from there</source>
        <translation>滑块从图片当前显示的状态开始，并由此到达两端</translation>
    </message>
    <message>
        <source>Keep details</source>
        <translation>保留细节</translation>
    </message>
    <message>
        <source>What the model cannot draw is taken from the picture where nothing changes</source>
        <translation>没有变化的地方，模型画不出的细节取自原图</translation>
    </message>
    <message>
        <source>What the picture is to show; only the words that differ change it</source>
        <translation>希望画面呈现的内容；只有不同的词会带来变化</translation>
    </message>
    <message>
        <source>Kind of change</source>
        <translation>更改类型</translation>
    </message>
    <message>
        <source>Strength</source>
        <translation>强度</translation>
    </message>
    <message>
        <source>0 keeps the picture, 1 is the whole change</source>
        <translation>0 保持原图，1 为完整更改</translation>
    </message>
    <message>
        <source>Way of editing</source>
        <translation>编辑方式</translation>
    </message>
    <message>
        <source>Carry attention over</source>
        <translation>沿用注意力</translation>
    </message>
    <message>
        <source>The new picture looks where the old one looked (prompt-to-prompt)</source>
        <translation>新图沿用原图的注意位置（prompt-to-prompt）</translation>
    </message>
    <message>
        <source>New words</source>
        <translation>新词</translation>
    </message>
    <message>
        <source>“replace” gives them the attention of the words in whose place they stand</source>
        <translation>“replace”让新词沿用被替换词的注意力</translation>
    </message>
    <message>
        <source>Attention to words</source>
        <translation>对词语的注意力</translation>
    </message>
    <message>
        <source>For which share of the steps it is carried over</source>
        <translation>在多大比例的步数中沿用</translation>
    </message>
    <message>
        <source>Attention to the picture</source>
        <translation>对画面的注意力</translation>
    </message>
    <message>
        <source>Only where the words are</source>
        <translation>仅在词语所在之处</translation>
    </message>
    <message>
        <source>Everything outside of the words that change stays as it is</source>
        <translation>所更改词语之外的部分保持不变</translation>
    </message>
    <message>
        <source>How clearly the words have to be seen where something may change</source>
        <translation>词语须有多清晰可见，该处才可更改</translation>
    </message>
    <message>
        <source>Found by</source>
        <translation>找到方式</translation>
    </message>
    <message>
        <source>What says where the change is: its words&apos; attention, or where the prompts differ</source>
        <translation>依据什么判断改动的位置：词语的注意力，或两段提示词产生差异的地方</translation>
    </message>
    <message>
        <source>Colours from new noise</source>
        <translation>颜色取自新噪声</translation>
    </message>
    <message>
        <source>Where it changes, only what is fine is taken from the picture&apos;s noise</source>
        <translation>在改动处，只从图片的噪声中取用精细部分</translation>
    </message>
    <message>
        <source>Along edges</source>
        <translation>沿边缘</translation>
    </message>
    <message>
        <source>What changes, and what stays, ends at the edges that are seen in the picture</source>
        <translation>改动与保留的部分都以图片中可见的边缘为界</translation>
    </message>
    <message>
        <source>From new noise</source>
        <translation>从新噪点开始</translation>
    </message>
    <message>
        <source>What is in the place is drawn anew; the seed decides what comes</source>
        <translation>该位置的内容重新绘制；由种子决定结果</translation>
    </message>
    <message>
        <source>Words</source>
        <translation>词语</translation>
    </message>
    <message>
        <source>0 keeps the picture, 1 makes a new one</source>
        <translation>0 保留原图，1 生成全新图片</translation>
    </message>
    <message>
        <source>What is drawn anew; nothing chosen means what is transparent</source>
        <translation>要重新绘制的部分；不选则为透明部分</translation>
    </message>
    <message>
        <source>What shall be there; empty goes on with what surrounds it</source>
        <translation>此处应有的内容；留空则延续周围内容</translation>
    </message>
    <message>
        <source>Below 1 it stays closer to the colours around it</source>
        <translation>小于 1 时更接近周围的颜色</translation>
    </message>
    <message>
        <source>Enlargement</source>
        <translation>放大倍数</translation>
    </message>
    <message>
        <source>How many times as wide and as high; 1 only adds details</source>
        <translation>宽和高各为原来的几倍；1 只添加细节</translation>
    </message>
    <message>
        <source>Surfaces that all of it has; better empty than things, which each tile would draw</source>
        <translation>整张图共有的质感；与其写具体物体不如留空，否则每个分块都会画出来</translation>
    </message>
    <message>
        <source>How much the model adds; 0 only resamples</source>
        <translation>模型添加多少细节；0 只重新采样</translation>
    </message>
    <message>
        <source>Structure</source>
        <translation>结构</translation>
    </message>
    <message>
        <source>How much of the picture&apos;s outlines and layout is kept</source>
        <translation>保留多少原图的轮廓与布局</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>How much of the look comes from the text; 0 keeps the picture</source>
        <translation>外观有多少取自文字;0 保持原图</translation>
    </message>
    <message>
        <source>Way</source>
        <translation>方式</translation>
    </message>
    <message>
        <source>How the structure comes from the picture</source>
        <translation>如何从图片取得结构</translation>
    </message>
    <message>
        <source>Source prompt</source>
        <translation>原图提示词</translation>
    </message>
    <message>
        <source>What the picture shows; may be left out</source>
        <translation>图片的内容;可以不填</translation>
    </message>
    <message>
        <source>Away from the source</source>
        <translation>远离原图</translation>
    </message>
    <message>
        <source>How strongly the result avoids what the source prompt says</source>
        <translation>结果在多大程度上避开原图提示词的内容</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>Words of the prompt: only their structure is kept</source>
        <translation>提示词中的词语:只保留它们的结构</translation>
    </message>
    <message>
        <source>Subject of the source</source>
        <translation>原图中的主体</translation>
    </message>
    <message>
        <source>Words of the source prompt that stand for it, where they are others</source>
        <translation>原图提示词中代表它的词语(如果不同)</translation>
    </message>
    <message>
        <source>Steps of the inversion</source>
        <translation>反演步数</translation>
    </message>
    <message>
        <source>As many as steps where left open; 999 as the authors had it</source>
        <translation>不填则与步数相同;论文作者使用 999</translation>
    </message>
    <message>
        <source>Restart</source>
        <translation>重启</translation>
    </message>
    <message>
        <source>One copy only: go back into the noise once, which mends mistakes</source>
        <translation>仅用于“单一副本”:回到噪声中一次,可修正错误</translation>
    </message>
    <message>
        <source>Memory for features (MiB)</source>
        <translation>特征内存(MiB)</translation>
    </message>
    <message>
        <source>What is kept of the picture, so that another text costs half</source>
        <translation>为图片保留的内容,使换用文字只需一半开销</translation>
    </message>
    <message>
        <source>Steps to look at</source>
        <translation>观察步数</translation>
    </message>
    <message>
        <source>At how many noise levels of the run the picture is looked at</source>
        <translation>在采样过程的多少个噪声级别观察图片</translation>
    </message>
    <message>
        <source>Definition</source>
        <translation>定义</translation>
    </message>
    <message>
        <source>One to learn from, or two: before and after</source>
        <translation>一张用于学习，或两张：之前和之后</translation>
    </message>
    <message>
        <source>What the pictures show</source>
        <translation>图片显示的内容</translation>
    </message>
    <message>
        <source>Usually the definition&apos;s first prompt</source>
        <translation>通常是定义中的第一条提示词</translation>
    </message>
    <message>
        <source>On the whole prompt</source>
        <translation>作用于整条提示词</translation>
    </message>
    <message>
        <source>The direction is added to every word, not to the subject alone</source>
        <translation>方向加到每个词上，而不仅是主体</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Schedule, steps × accumulation of a run that is known to work</source>
        <translation>已知可行的方案：调度方式，步数 × 累积次数</translation>
    </message>
    <message>
        <source>How often the direction is changed</source>
        <translation>方向更新的次数</translation>
    </message>
    <message>
        <source>Accumulation</source>
        <translation>累积</translation>
    </message>
    <message>
        <source>Micro-steps for each change</source>
        <translation>每次更新所用的小步数</translation>
    </message>
    <message>
        <source>Learning rate over time</source>
        <translation>学习率的变化</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>批大小</translation>
    </message>
    <message>
        <source>Final learning rate</source>
        <translation>最终学习率</translation>
    </message>
    <message>
        <source>Where the cosine ends</source>
        <translation>余弦曲线的终点</translation>
    </message>
    <message>
        <source>Weight decay</source>
        <translation>权重衰减</translation>
    </message>
    <message>
        <source>How strongly the direction is drawn back to where it began</source>
        <translation>方向被拉回起点的力度</translation>
    </message>
    <message>
        <source>Enlarge</source>
        <translation>放大</translation>
    </message>
    <message>
        <source>Learn a concept</source>
        <translation>学习概念</translation>
    </message>
    <message>
        <source>Look at photos</source>
        <translation>查看照片</translation>
    </message>
    <message>
        <source>Scales in a micro-step</source>
        <translation>每小步的强度数</translation>
    </message>
    <message>
        <source>Smallest scale</source>
        <translation>最小强度</translation>
    </message>
    <message>
        <source>Largest scale</source>
        <translation>最大强度</translation>
    </message>
    <message>
        <source>The slider&apos;s position up to which the direction is learnt; usually its end</source>
        <translation>学习方向时滑块的最远位置；通常是末端</translation>
    </message>
    <message>
        <source>Start from the words</source>
        <translation>从文字开始</translation>
    </message>
    <message>
        <source>Learning begins with the direction that the words alone give</source>
        <translation>从仅由文字得到的方向开始学习</translation>
    </message>
    <message>
        <source>Share of the noisy steps</source>
        <translation>高噪声步骤的比例</translation>
    </message>
    <message>
        <source>The direction is learnt at the noisiest steps, which decide the picture</source>
        <translation>在噪声最多、决定画面的步骤上学习方向</translation>
    </message>
    <message>
        <source>Points of a trajectory</source>
        <translation>每条轨迹的取样点</translation>
    </message>
    <message>
        <source>At how many noise levels one sampled picture is used</source>
        <translation>一次采样的图片在多少个噪声级别上使用</translation>
    </message>
    <message>
        <source>Sampling steps</source>
        <translation>采样步数</translation>
    </message>
    <message>
        <source>Learn the part for T5 as well</source>
        <translation>同时学习 T5 的部分</translation>
    </message>
    <message>
        <source>Low memory</source>
        <translation>节省内存</translation>
    </message>
    <message>
        <source>Slower; computes again what it would otherwise keep</source>
        <translation>较慢；需要时重新计算，不保留中间结果</translation>
    </message>
    <message>
        <source>Photos</source>
        <translation>照片</translation>
    </message>
    <message>
        <source>Three to five of one subject, from different sides and places</source>
        <translation>同一主体的三到五张照片，取自不同角度和地点</translation>
    </message>
    <message>
        <source>A kind of</source>
        <translation>属于哪一类</translation>
    </message>
    <message>
        <source>The word for what it is, such as cat; learning begins there</source>
        <translation>它是什么，例如 cat；学习由此开始</translation>
    </message>
    <message>
        <source>It is</source>
        <translation>它是</translation>
    </message>
    <message>
        <source>Decides the sentences that it is learnt in</source>
        <translation>决定学习时使用的句子</translation>
    </message>
    <message>
        <source>Parts of the photos</source>
        <translation>照片的取用部分</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>The word for prompts, in angle brackets, such as &lt;my-cat&gt;</source>
        <translation>提示词中使用的词，写在尖括号里，例如 &lt;my-cat&gt;</translation>
    </message>
    <message>
        <source>Vectors</source>
        <translation>向量</translation>
    </message>
    <message>
        <source>More hold finer things, and take more places of a prompt</source>
        <translation>越多越能记住细节，也占用提示词更多位置</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>样本数</translation>
    </message>
    <message>
        <source>How many noisy pictures are looked at, at most</source>
        <translation>最多查看多少张加噪图像</translation>
    </message>
    <message>
        <source>Noise levels for each change</source>
        <translation>每次更新使用的噪声级数</translation>
    </message>
    <message>
        <source>Directional: the angle of a change. Plain: for rows of CLIP&apos;s usual length</source>
        <translation>方向式：每次转动的角度。普通式：针对 CLIP 常见长度的向量</translation>
    </message>
    <message>
        <source>Mirror as well</source>
        <translation>同时使用镜像</translation>
    </message>
    <message>
        <source>Not for what has writing, or two different sides</source>
        <translation>有文字或左右不同的主体请勿使用</translation>
    </message>
    <message>
        <source>Stop when it gets no better</source>
        <translation>不再改善时停止</translation>
    </message>
    <message>
        <source>When the loss on held-out noise no longer falls</source>
        <translation>当留出噪声上的损失不再下降时</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Change attributes</source>
        <translation>更改属性</translation>
    </message>
    <message>
        <source>Sweep an attribute</source>
        <translation>遍历属性</translation>
    </message>
    <message>
        <source>Refine</source>
        <translation>细化</translation>
    </message>
    <message>
        <source>Try a refinement</source>
        <translation>试验细化</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>评分</translation>
    </message>
    <message>
        <source>Redraw</source>
        <translation>重绘</translation>
    </message>
    <message>
        <source>Fill</source>
        <translation>填充</translation>
    </message>
    <message>
        <source>Translate</source>
        <translation>转绘</translation>
    </message>
    <message>
        <source>What the model sees</source>
        <translation>模型所见</translation>
    </message>
    <message>
        <source>Attributes on a picture</source>
        <translation>修改图片中的属性</translation>
    </message>
    <message>
        <source>Sweep an attribute of a picture</source>
        <translation>遍历图片的一个属性</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>插入</translation>
    </message>
    <message>
        <source>Strengths of a change</source>
        <translation>更改的各档强度</translation>
    </message>
    <message>
        <source>Learn an attribute&apos;s direction</source>
        <translation>学习属性的方向</translation>
    </message>
    <message>
        <source>The whole picture was turned, scaled or converted meanwhile.</source>
        <translation>在此期间，整张图片已被旋转、缩放或转换。</translation>
    </message>
    <message>
        <source>It is made again from the picture as it is now.</source>
        <translation>正在根据当前的图片重新生成。</translation>
    </message>
</context>
<context>
    <name>OverflowRow</name>
    <message>
        <source>Options that find no room in the bar</source>
        <translation>选项栏中放不下的选项</translation>
    </message>
</context>
<context>
    <name>PanelHeader</name>
    <message>
        <source>Close panel {title}</source>
        <translation>关闭面板“{title}”</translation>
    </message>
</context>
<context>
    <name>ParameterForm</name>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Yes</source>
        <translation>是</translation>
    </message>
    <message>
        <source>No</source>
        <translation>否</translation>
    </message>
</context>
<context>
    <name>PhotoTile</name>
    <message>
        <source>Take this photo out</source>
        <translation>移除这张照片</translation>
    </message>
    <message>
        <source>The bright part is learnt: drag to move it, wheel or + and - to change its size</source>
        <translation>学习明亮的部分：拖动可移动，滚轮或 + 和 - 可改变大小</translation>
    </message>
    <message>
        <source>Photo {number}</source>
        <translation>照片 {number}</translation>
    </message>
</context>
<context>
    <name>PhotoTiles</name>
    <message>
        <source>Drop three to five photos of it here</source>
        <translation>将它的三到五张照片拖放到这里</translation>
    </message>
    <message>
        <source>Add photos…</source>
        <translation>添加照片…</translation>
    </message>
    <message>
        <source>Take the selection</source>
        <translation>取用选区</translation>
    </message>
    <message>
        <source>What is selected in the open picture becomes one of the photos</source>
        <translation>把已打开图片中选中的部分作为其中一张照片</translation>
    </message>
</context>
<context>
    <name>PictureCard</name>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>waiting…</source>
        <translation>等待中…</translation>
    </message>
</context>
<context>
    <name>PictureLesson</name>
    <message>
        <source>a photo of a man</source>
        <translation>a photo of a man</translation>
    </message>
    <message>
        <source>After</source>
        <translation>之后</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>It shows</source>
        <translation>画面内容</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>之前</translation>
    </message>
</context>
<context>
    <name>PictureScores</name>
    <message>
        <source>Look for the subjects</source>
        <translation>查找主体</translation>
    </message>
</context>
<context>
    <name>PreviewRow</name>
    <message>
        <source>Three pictures of the folder are shown here, before and after.</source>
        <translation>文件夹中的三张图片会显示在这里：处理前与处理后。</translation>
    </message>
</context>
<context>
    <name>PromptBox</name>
    <message>
        <source>Describe the picture</source>
        <translation>描述图片</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Edit the prompt (F2)</source>
        <translation>编辑提示词 (F2)</translation>
    </message>
    <message>
        <source>Another seed</source>
        <translation>换一个种子</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Make the picture of this prompt and seed (Return in the prompt)</source>
        <translation>用此提示词和种子生成图片（在提示词中按 Enter 键）</translation>
    </message>
    <message>
        <source>Describe anew</source>
        <translation>重新描述</translation>
    </message>
    <message>
        <source>The photo as it is edited with these words; change them by the pencil first</source>
        <translation>按这段描述编辑照片；请先用铅笔修改描述</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
</context>
<context>
    <name>PromptView</name>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Click a word to make it a subject. Shift-click a second word to take the whole phrase.</source>
        <translation>单击单词将其选为主体；按住 Shift 单击另一个单词可选取整个短语。</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>{prompt}. Subjects: {names}</source>
        <translation>{prompt}。主体：{names}</translation>
    </message>
    <message>
        <source>No prompt yet</source>
        <translation>尚无提示词</translation>
    </message>
</context>
<context>
    <name>PropertiesPanel</name>
    <message>
        <source>Choose an adjustment or a text layer to see its settings.</source>
        <translation>选择调整图层或文字图层以查看其设置。</translation>
    </message>
</context>
<context>
    <name>RecentMenu</name>
    <message>
        <source>Open &amp;recent</source>
        <translation>最近打开的文件(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Clear this list</source>
        <translation>清除列表(&amp;C)</translation>
    </message>
</context>
<context>
    <name>RecipeEditor</name>
    <message>
        <source>each file its own</source>
        <translation>每个文件各自的种子</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步骤</translation>
    </message>
    <message>
        <source>Add a step</source>
        <translation>添加步骤</translation>
    </message>
    <message>
        <source>Remove this step</source>
        <translation>移除此步骤</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>前移</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>后移</translation>
    </message>
    <message>
        <source>Each picture&apos;s own</source>
        <translation>与原图相同</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>质量</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>Amount</source>
        <translation>强度</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>{count} %</source>
        <translation>{count}%</translation>
    </message>
    <message>
        <source>Add what is to be done to every picture: the steps run from top to bottom.</source>
        <translation>添加要对每张图片做的事：步骤自上而下执行。</translation>
    </message>
</context>
<context>
    <name>Recovery</name>
    <message>
        <source>Unsaved work cannot be kept for recovery: {reason}</source>
        <translation>无法保留未保存的工作以供恢复：{reason}</translation>
    </message>
</context>
<context>
    <name>RecoveryBar</name>
    <message>
        <source>Unsaved work of earlier sessions</source>
        <translation>之前未保存的工作</translation>
    </message>
    <message>
        <source>Restore all</source>
        <translation>全部恢复</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>稍后</translation>
    </message>
    <message>
        <source>Discard all</source>
        <translation>全部丢弃</translation>
    </message>
    <message>
        <source>Ask again at the next start</source>
        <translation>下次启动时再询问</translation>
    </message>
    <message>
        <source>This work of an earlier session was not saved:</source>
        <translation>以下工作在上次使用时未保存：</translation>
    </message>
    <message>
        <source>Discard all for good?</source>
        <translation>全部永久丢弃？</translation>
    </message>
</context>
<context>
    <name>RecoveryRow</name>
    <message>
        <source>Restore</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Discard for good?</source>
        <translation>永久丢弃？</translation>
    </message>
    <message>
        <source>the file was saved later</source>
        <translation>文件此后又保存过</translation>
    </message>
</context>
<context>
    <name>RefineMethods</name>
    <message>
        <source>Plain: no refinement</source>
        <translation>原始：不细化</translation>
    </message>
    <message>
        <source>One refinement</source>
        <translation>单次细化</translation>
    </message>
    <message>
        <source>One refinement, then guidance</source>
        <translation>单次细化后引导</translation>
    </message>
    <message>
        <source>Attend &amp; Excite</source>
        <translation>Attend &amp; Excite</translation>
    </message>
    <message>
        <source>Divide &amp; Bind</source>
        <translation>Divide &amp; Bind</translation>
    </message>
    <message>
        <source>InitNO</source>
        <translation>InitNO</translation>
    </message>
    <message>
        <source>InitNO+</source>
        <translation>InitNO+</translation>
    </message>
    <message>
        <source>SynGen</source>
        <translation>SynGen</translation>
    </message>
    <message>
        <source>SAGA</source>
        <translation>SAGA</translation>
    </message>
    <message>
        <source>SAGA+</source>
        <translation>SAGA+</translation>
    </message>
</context>
<context>
    <name>RefinePanel</name>
    <message>
        <source>Suggest</source>
        <translation>建议</translation>
    </message>
    <message>
        <source>Choose the things that the prompt names</source>
        <translation>选取提示词中提到的事物</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>Refine</source>
        <translation>细化</translation>
    </message>
    <message>
        <source>Compare…</source>
        <translation>比较…</translation>
    </message>
    <message>
        <source>Several methods and seeds side by side, with their scores</source>
        <translation>并排比较多种方法和种子及其评分</translation>
    </message>
    <message>
        <source>Refine works on pictures that were made from a prompt.</source>
        <translation>细化仅适用于由提示词生成的图片。</translation>
    </message>
    <message>
        <source>Click the words in Subjects that have to be seen.</source>
        <translation>请在“主体”中单击必须出现的单词。</translation>
    </message>
    <message>
        <source>Refining…</source>
        <translation>正在细化…</translation>
    </message>
</context>
<context>
    <name>RefineScores</name>
    <message>
        <source>Before</source>
        <translation>细化前</translation>
    </message>
    <message>
        <source>After</source>
        <translation>细化后</translation>
    </message>
    <message>
        <source>there</source>
        <translation>存在</translation>
    </message>
    <message>
        <source>missing</source>
        <translation>缺失</translation>
    </message>
    <message>
        <source>Fits the prompt</source>
        <translation>与提示词相符</translation>
    </message>
    <message>
        <source>Weakest subject</source>
        <translation>最弱主体</translation>
    </message>
    <message>
        <source>Caption fits the prompt</source>
        <translation>描述与提示词相符</translation>
    </message>
</context>
<context>
    <name>Refinement</name>
    <message>
        <source>Refine: {subjects}</source>
        <translation>细化：{subjects}</translation>
    </message>
    <message>
        <source>Refine {prompt}</source>
        <translation>细化 {prompt}</translation>
    </message>
    <message>
        <source>Exported {name}.</source>
        <translation>已导出 {name}。</translation>
    </message>
    <message>
        <source>The layer that was refined is no longer there.</source>
        <translation>被细化的图层已不存在。</translation>
    </message>
    <message>
        <source>Refine again</source>
        <translation>再次细化</translation>
    </message>
    <message>
        <source>{name} refined</source>
        <translation>{name} 细化</translation>
    </message>
</context>
<context>
    <name>RefusedSave</name>
    <message>
        <source>Another program has changed “{name}” since it was opened or saved here.</source>
        <translation>自从在此处打开或保存“{name}”以来，另一个程序已更改了它。</translation>
    </message>
    <message>
        <source>“{name}” is read-only.</source>
        <translation>“{name}”是只读的。</translation>
    </message>
    <message>
        <source>“{name}” is open here as another document.</source>
        <translation>“{name}”已在此处作为另一个文档打开。</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Nothing was written yet.</source>
        <translation>尚未写入任何内容。</translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation>另存为…</translation>
    </message>
    <message>
        <source>Reload</source>
        <translation>重新载入</translation>
    </message>
    <message>
        <source>Overwrite</source>
        <translation>覆盖</translation>
    </message>
</context>
<context>
    <name>RenameConcept</name>
    <message>
        <source>Rename concept</source>
        <translation>重命名概念</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
</context>
<context>
    <name>Ruler</name>
    <message>
        <source>Ruler</source>
        <translation>标尺</translation>
    </message>
    <message>
        <source>Drag from here to place a guide</source>
        <translation>从此处拖出参考线</translation>
    </message>
</context>
<context>
    <name>ScaleBox</name>
    <message>
        <source>Width in pixels</source>
        <translation>宽度（像素）</translation>
    </message>
    <message>
        <source>Height in pixels</source>
        <translation>高度（像素）</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>Size in percent</source>
        <translation>大小百分比</translation>
    </message>
</context>
<context>
    <name>SeedBox</name>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
</context>
<context>
    <name>SeenDialog</name>
    <message>
        <source>What the model sees</source>
        <translation>模型所见</translation>
    </message>
    <message>
        <source>Principal components of features and self-attention: alike things have one colour.</source>
        <translation>特征与自注意力的主成分：相似之处颜色相同。</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>步</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>正在观察…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Step {step}</source>
        <translation>第 {step} 步</translation>
    </message>
    <message>
        <source>Export what the model sees</source>
        <translation>导出模型所见</translation>
    </message>
    <message>
        <source>PNG (*.png)</source>
        <translation>PNG (*.png)</translation>
    </message>
</context>
<context>
    <name>Sessions</name>
    <message>
        <source>“{name}” was changed by hand: its sliders are gone until you undo it.</source>
        <translation>“{name}”已被手动修改：撤销之前，其滑块不可用。</translation>
    </message>
    <message>
        <source>Paint on a new layer to keep them.</source>
        <translation>在新图层上绘画即可保留滑块。</translation>
    </message>
</context>
<context>
    <name>Settings</name>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Model for new pictures</source>
        <translation>新图片使用的模型</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Automatic takes a graphics card if there is one. Used from the next start.</source>
        <translation>“自动”会优先使用显卡。下次启动时生效。</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Used from the next start.</source>
        <translation>下次启动时生效。</translation>
    </message>
    <message>
        <source>Of a model there is in memory</source>
        <translation>模型在内存中保留</translation>
    </message>
    <message>
        <source>Automatic takes as much as will fit; the less, the slower. Used from the next start.</source>
        <translation>自动会尽量多保留；保留越少越慢。下次启动时生效。</translation>
    </message>
    <message>
        <source>Weights are kept</source>
        <translation>权重存储方式</translation>
    </message>
    <message>
        <source>In 8 bits they take half of the memory; pictures are nearly the same. Automatic does so where memory is short. Used from the next start.</source>
        <translation>以 8 位存储只占一半内存，图片几乎相同。内存不足时自动采用。下次启动时生效。</translation>
    </message>
    <message>
        <source>Remember memory modes</source>
        <translation>记住内存模式</translation>
    </message>
    <message>
        <source>The next start begins with what worked. Off forgets it, with the next start.</source>
        <translation>下次启动会从可行的方式开始。关闭后，下次启动时会忘记。</translation>
    </message>
    <message>
        <source>Steps for new pictures</source>
        <translation>新图片的步数</translation>
    </message>
    <message>
        <source>Empty takes the model&apos;s own number.</source>
        <translation>留空则使用模型的默认步数。</translation>
    </message>
    <message>
        <source>Prepare slider positions when idle</source>
        <translation>空闲时预先计算滑块</translation>
    </message>
    <message>
        <source>Sliders answer at once; costs processor time while you look.</source>
        <translation>滑块可立即响应，但空闲时会占用处理器。</translation>
    </message>
    <message>
        <source>Weights in prompts</source>
        <translation>提示词中的权重</translation>
    </message>
    <message>
        <source>(word:1.2) and ((word)) are more of a word, [word] less; off, they are read as written. New pictures and edits begin with it.</source>
        <translation>(词:1.2) 和 ((词)) 加重一个词，[词] 减轻；关闭时按原样读取。新图片和编辑以此为默认。</translation>
    </message>
    <message>
        <source>Detection model for scores</source>
        <translation>评分用检测模型</translation>
    </message>
    <message>
        <source>A folder or hub name, such as a DETR. Built-in models have a judge of their own.</source>
        <translation>文件夹或 Hub 名称，例如 DETR。内置模型自带评判模型。</translation>
    </message>
    <message>
        <source>Variations at a time</source>
        <translation>每次生成的变体数</translation>
    </message>
    <message>
        <source>Memory for undo (MiB)</source>
        <translation>撤销内存 (MiB)</translation>
    </message>
    <message>
        <source>The oldest steps go first.</source>
        <translation>最早的步骤最先移除。</translation>
    </message>
    <message>
        <source>Keep unsaved changes every (seconds)</source>
        <translation>保留未保存更改的间隔（秒）</translation>
    </message>
    <message>
        <source>Unsaved changes are kept for recovery at least this often, and when you pause.</source>
        <translation>至少按此间隔保留未保存的更改以供恢复，停顿时也会保留。</translation>
    </message>
    <message>
        <source>Disk space for recovery (MiB)</source>
        <translation>恢复文件的磁盘空间 (MiB)</translation>
    </message>
    <message>
        <source>Unsaved work of this session, and of sessions that crashed.</source>
        <translation>本次及崩溃时未保存的工作。</translation>
    </message>
    <message>
        <source>Disk space for what can be used again (MiB)</source>
        <translation>可重复使用内容的磁盘空间 (MiB)</translation>
    </message>
    <message>
        <source>Pictures as models see them: a second edit is quicker. 0 empties it and keeps nothing.</source>
        <translation>模型所见的图片：再次编辑会更快。设为 0 则清空且不再保留。</translation>
    </message>
    <message>
        <source>Export format</source>
        <translation>导出格式</translation>
    </message>
    <message>
        <source>Export quality</source>
        <translation>导出品质</translation>
    </message>
    <message>
        <source>For JPEG and lossy WebP.</source>
        <translation>用于 JPEG 和有损 WebP。</translation>
    </message>
    <message>
        <source>Write how a picture was made</source>
        <translation>写入图片的制作方式</translation>
    </message>
    <message>
        <source>Lets you open the export again with its sliders, and tells others that it is AI-made.</source>
        <translation>重新打开导出的文件时可恢复滑块，并告知他人图片由 AI 制作。</translation>
    </message>
    <message>
        <source>Start with the sample picture</source>
        <translation>启动时打开示例图片</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>窗口</translation>
    </message>
    <message>
        <source>Models and processor</source>
        <translation>模型与处理器</translation>
    </message>
    <message>
        <source>Files and export</source>
        <translation>文件与导出</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
</context>
<context>
    <name>SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Search settings</source>
        <translation>搜索设置</translation>
    </message>
    <message>
        <source>Sections</source>
        <translation>分类</translation>
    </message>
    <message>
        <source>Back to defaults</source>
        <translation>恢复默认值</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Processor (CPU)</source>
        <translation>处理器 (CPU)</translation>
    </message>
    <message>
        <source>Graphics card (CUDA)</source>
        <translation>显卡 (CUDA)</translation>
    </message>
    <message>
        <source>Apple graphics (MPS)</source>
        <translation>Apple 图形处理器 (MPS)</translation>
    </message>
</context>
<context>
    <name>ShadeField</name>
    <message>
        <source>Saturation and value</source>
        <translation>饱和度与明度</translation>
    </message>
</context>
<context>
    <name>SheetDialog</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Add as layer</source>
        <translation>添加为图层</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>对比</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done}/{total}</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>Search commands or keys</source>
        <translation>搜索命令或按键</translation>
    </message>
    <message>
        <source>Back to defaults</source>
        <translation>恢复默认值</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Back to the default of “{name}”</source>
        <translation>恢复“{name}”的默认快捷键</translation>
    </message>
    <message>
        <source>Show the state before while held</source>
        <translation>按住时显示修改前</translation>
    </message>
    <message>
        <source>Move the view while held</source>
        <translation>按住时平移视图</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空格键</translation>
    </message>
</context>
<context>
    <name>SourceField</name>
    <message>
        <source>The picture up to the active layer</source>
        <translation>当前图层及以下的画面</translation>
    </message>
    <message>
        <source>The active layer</source>
        <translation>当前图层</translation>
    </message>
    <message>
        <source>The selection</source>
        <translation>选区</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>全图</translation>
    </message>
    <message>
        <source>A file…</source>
        <translation>文件…</translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation>选择文件</translation>
    </message>
</context>
<context>
    <name>Starts</name>
    <message>
        <source>Untitled</source>
        <translation>未命名</translation>
    </message>
    <message>
        <source>Open “{name}” as layer</source>
        <translation>将“{name}”作为图层打开</translation>
    </message>
    <message>
        <source>Background</source>
        <translation>背景</translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message>
        <source>Download a model, or add one that is on this computer</source>
        <translation>下载模型，或添加这台电脑上已有的模型</translation>
    </message>
    <message>
        <source>Memory that Attune uses, with its image engine</source>
        <translation>Attune 及其图像引擎占用的内存</translation>
    </message>
    <message>
        <source>What computes pictures; change it in Edit › Settings</source>
        <translation>计算图片所用的设备；可在“编辑 › 设置”中更改</translation>
    </message>
    <message>
        <source>x {x} y {y}</source>
        <translation>x {x} y {y}</translation>
    </message>
    <message>
        <source>embedded profile</source>
        <translation>嵌入的配置文件</translation>
    </message>
    <message>
        <source>{width} × {height} px · {profile} · {depth} bit</source>
        <translation>{width} × {height} 像素 · {profile} · {depth} 位</translation>
    </message>
    <message>
        <source>Selection {width} × {height}</source>
        <translation>选区 {width} × {height}</translation>
    </message>
    <message>
        <source>Built-in sandbox model — add a checkpoint to edit photos</source>
        <translation>内置沙盒模型 — 添加模型文件即可编辑照片</translation>
    </message>
    <message>
        <source>{size} GB</source>
        <translation>{size} GB</translation>
    </message>
</context>
<context>
    <name>StepDialog</name>
    <message>
        <source>Choose the refinement step</source>
        <translation>选择细化步骤</translation>
    </message>
    <message>
        <source>Each model has a step at which one refinement helps most. Attune tries every second step of the first half on prompts of two and three subjects, and counts the pictures in which all are there. The work waits for everything else, and can be stopped and taken up again.</source>
        <translation>每个模型都有一个步，在该步细化一次的效果最好。Attune 用含两个和三个主体的提示词，在前半程每隔一步试验一次，并统计所有主体都出现的图片。这项工作会让位于其他任务，可以随时停止，以后再继续。</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Use this step</source>
        <translation>使用此步</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>Prompts of each kind</source>
        <translation>每类提示词数</translation>
    </message>
    <message>
        <source>Seeds for each prompt</source>
        <translation>每个提示词的种子数</translation>
    </message>
    <message>
        <source>{model} is refined at step {step} from now on.</source>
        <translation>从现在起，{model} 在第 {step} 步细化。</translation>
    </message>
    <message>
        <source>The first points come soon.</source>
        <translation>首批结果很快就会出现。</translation>
    </message>
    <message>
        <source>Nothing tried yet.</source>
        <translation>尚未试验。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Pictures to draw: {count}. How long they take is told after the first ones.</source>
        <translation>将绘制的图片数：{count}。画完最初几张后会显示所需时间。</translation>
    </message>
    <message>
        <source>Pictures to draw: {count}, in about {time}.</source>
        <translation>将绘制的图片数：{count}，约需 {time}。</translation>
    </message>
    <message>
        <source>Tried {done} of {total}</source>
        <translation>已试验 {done} / {total}</translation>
    </message>
    <message>
        <source>{words} · {time} left</source>
        <translation>{words} · 剩余 {time}</translation>
    </message>
    <message>
        <source>Step {step} of {steps} is best. Pictures for each point: {count}.</source>
        <translation>共 {steps} 步，第 {step} 步最好。每点图片数：{count}。</translation>
    </message>
    <message>
        <source>Stopped; so far step {step} is best.</source>
        <translation>已停止；目前第 {step} 步最好。</translation>
    </message>
</context>
<context>
    <name>StepPlot</name>
    <message>
        <source>Share of right pictures by step</source>
        <translation>各步的正确图片比例</translation>
    </message>
    <message>
        <source>Step of the refinement</source>
        <translation>细化所在的步</translation>
    </message>
    <message>
        <source>two subjects</source>
        <translation>两个主体</translation>
    </message>
    <message>
        <source>three subjects</source>
        <translation>三个主体</translation>
    </message>
    <message>
        <source>two coloured subjects</source>
        <translation>两个带颜色的主体</translation>
    </message>
    <message>
        <source>three coloured subjects</source>
        <translation>三个带颜色的主体</translation>
    </message>
    <message>
        <source>Step {step}</source>
        <translation>第 {step} 步</translation>
    </message>
</context>
<context>
    <name>StepSearch</name>
    <message>
        <source>Choose the step: {done} of {total}</source>
        <translation>选择细化步骤：{done} / {total}</translation>
    </message>
</context>
<context>
    <name>StoppedRow</name>
    <message>
        <source>stopped at {done} of {total}</source>
        <translation>停在 {done}/{total}</translation>
    </message>
    <message>
        <source>stopped at the beginning</source>
        <translation>停在开头</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Go on: {job}</source>
        <translation>继续：{job}</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Keep: {job}</source>
        <translation>保留：{job}</translation>
    </message>
    <message>
        <source>Put what was learnt so far into the library</source>
        <translation>把目前学到的放入属性库</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Discard: {job}</source>
        <translation>丢弃：{job}</translation>
    </message>
    <message>
        <source>Really?</source>
        <translation>确定？</translation>
    </message>
</context>
<context>
    <name>SubjectPanel</name>
    <message>
        <source>Click a word above to make it a subject, then add attributes to it.</source>
        <translation>单击上方的单词将其选为主体，然后为其添加属性。</translation>
    </message>
    <message>
        <source>Only this subject</source>
        <translation>仅此主体</translation>
    </message>
    <message>
        <source>Everything outside of the subjects that change stays as it is</source>
        <translation>所改主体之外的一切保持原样</translation>
    </message>
    <message>
        <source>Describe another part…</source>
        <translation>描述另一处…</translation>
    </message>
    <message>
        <source>Select a part of the picture first: it gets sliders and a layer of its own</source>
        <translation>请先选取图片的一部分：它会有自己的滑块和图层</translation>
    </message>
    <message>
        <source>New from prompt…</source>
        <translation>用提示词新建…</translation>
    </message>
    <message>
        <source>Back to the sliders</source>
        <translation>返回滑块</translation>
    </message>
    <message>
        <source>Select a part of the picture, and say what it shows.</source>
        <translation>请选取图片的一部分，并说明其中是什么。</translation>
    </message>
    <message>
        <source>The prompt of a picture and the sliders of its subjects appear here.</source>
        <translation>图片的提示词及其主体的滑块会显示在这里。</translation>
    </message>
    <message>
        <source>shown on the canvas</source>
        <translation>已在画布上显示</translation>
    </message>
</context>
<context>
    <name>SubjectSection</name>
    <message>
        <source>Set all sliders of {name} to zero</source>
        <translation>将 {name} 的所有滑块归零</translation>
    </message>
    <message>
        <source>{name} is no subject</source>
        <translation>取消主体 {name}</translation>
    </message>
    <message>
        <source>+ Add attribute</source>
        <translation>+ 添加属性</translation>
    </message>
    <message>
        <source>The library has no attribute for this word and model.</source>
        <translation>库中没有适用于此单词和模型的属性。</translation>
    </message>
    <message>
        <source>+ Teach an attribute…</source>
        <translation>+ 训练新属性…</translation>
    </message>
</context>
<context>
    <name>TeachDialog</name>
    <message>
        <source>Teach an attribute</source>
        <translation>训练新属性</translation>
    </message>
    <message>
        <source>Keep as it is</source>
        <translation>保留当前结果</translation>
    </message>
    <message>
        <source>Put what is learnt so far into the library; learning goes on</source>
        <translation>把目前学到的放入属性库；学习继续进行</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>What is being learnt goes on; the panel “Jobs” shows it</source>
        <translation>训练会继续进行，可在“任务”面板中查看</translation>
    </message>
    <message>
        <source>Teach</source>
        <translation>开始学习</translation>
    </message>
    <message>
        <source>Say in a few words what shall change, in English, and Attune makes a slider of it. The words are put before the subject: “young man”, “old man”.</source>
        <translation>用几个英文词说明要改变什么，Attune 会把它做成滑块。这些词放在主体之前：“young man”、“old man”。</translation>
    </message>
    <message>
        <source>man, woman</source>
        <translation>man, woman</translation>
    </message>
    <message>
        <source>rested</source>
        <translation>rested</translation>
    </message>
    <message>
        <source>tired</source>
        <translation>tired</translation>
    </message>
    <message>
        <source>By itself: the word for the higher end</source>
        <translation>留空则用高值端的词</translation>
    </message>
    <message>
        <source>What the model is shown</source>
        <translation>提供给模型的词语</translation>
    </message>
    <message>
        <source>How long it will take</source>
        <translation>需要多长时间</translation>
    </message>
    <message>
        <source>From the lower to the higher end, as learnt so far</source>
        <translation>目前学到的效果，从低值端到高值端</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>主体</translation>
    </message>
    <message>
        <source>Lower end</source>
        <translation>低值端</translation>
    </message>
    <message>
        <source>Higher end</source>
        <translation>高值端</translation>
    </message>
    <message>
        <source>Name of the slider</source>
        <translation>滑块名称</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Before the phrases</source>
        <translation>短语前缀</translation>
    </message>
    <message>
        <source>“{lower}” … “{higher}”</source>
        <translation>“{lower}” … “{higher}”</translation>
    </message>
    <message>
        <source>“{words}” does not stand before a noun. Say it in other words.</source>
        <translation>“{words}”不能放在名词之前，请换一种说法。</translation>
    </message>
    <message>
        <source>Takes moments.</source>
        <translation>片刻即可。</translation>
    </message>
    <message>
        <source>About {count} passes through the model. How long is told after its first picture.</source>
        <translation>约需模型运算 {count} 次。完成第一张图片后会给出所需时间。</translation>
    </message>
    <message>
        <source>Takes about {time} on this machine.</source>
        <translation>在这台电脑上大约需要 {time}。</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在开始…</translation>
    </message>
    <message>
        <source>Teach “{name}”: {subject}</source>
        <translation>学习“{name}”：{subject}</translation>
    </message>
    <message>
        <source>Waiting…</source>
        <translation>等待中…</translation>
    </message>
    <message>
        <source>Stopped. It can go on, or be kept as it is, from the panel “Jobs”.</source>
        <translation>已停止。可在“任务”面板中继续，或按现状保留。</translation>
    </message>
    <message>
        <source>Learnt.</source>
        <translation>学习完成。</translation>
    </message>
    <message>
        <source>Waits for what you are doing, and goes on by itself.</source>
        <translation>正在为您的操作让路，之后会自动继续。</translation>
    </message>
    <message>
        <source>Step {done} of {total}</source>
        <translation>第 {done}/{total} 步</translation>
    </message>
    <message>
        <source>{words} · {time} left</source>
        <translation>{words} · 还剩 {time}</translation>
    </message>
    <message>
        <source>“{label}” is among the attributes now.</source>
        <translation>“{label}”已加入属性。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
</context>
<context>
    <name>TextProperties</name>
    <message>
        <source>Text</source>
        <translation>文字</translation>
    </message>
    <message>
        <source>Font</source>
        <translation>字体</translation>
    </message>
    <message>
        <source>Text colour</source>
        <translation>文字颜色</translation>
    </message>
    <message>
        <source>Bold</source>
        <translation>粗体</translation>
    </message>
    <message>
        <source>Italic</source>
        <translation>斜体</translation>
    </message>
    <message>
        <source>Underline</source>
        <translation>下划线</translation>
    </message>
    <message>
        <source>Align left</source>
        <translation>左对齐</translation>
    </message>
    <message>
        <source>Centre</source>
        <translation>居中对齐</translation>
    </message>
    <message>
        <source>Align right</source>
        <translation>右对齐</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source> px</source>
        <translation> 像素</translation>
    </message>
    <message>
        <source>Line height</source>
        <translation>行高</translation>
    </message>
    <message>
        <source>Letter spacing</source>
        <translation>字距</translation>
    </message>
    <message>
        <source>Angle</source>
        <translation>角度</translation>
    </message>
    <message>
        <source>Change text</source>
        <translation>更改文字</translation>
    </message>
    <message>
        <source>Change the text&apos;s look</source>
        <translation>更改文字样式</translation>
    </message>
</context>
<context>
    <name>ToneEditor</name>
    <message>
        <source>Channel</source>
        <translation>通道</translation>
    </message>
    <message>
        <source>RGB</source>
        <translation>RGB</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>红</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>绿</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>蓝</translation>
    </message>
    <message>
        <source>Reset this channel</source>
        <translation>复位此通道</translation>
    </message>
</context>
<context>
    <name>ToolBar</name>
    <message>
        <source>Tools</source>
        <translation>工具</translation>
    </message>
</context>
<context>
    <name>ToolOptions</name>
    <message>
        <source>Tool options</source>
        <translation>工具选项</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>应用</translation>
    </message>
    <message>
        <source>Apply (Return)</source>
        <translation>应用（回车键）</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Cancel (Esc)</source>
        <translation>取消（Esc）</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>更多设置</translation>
    </message>
    <message>
        <source>As it comes</source>
        <translation>不限</translation>
    </message>
</context>
<context>
    <name>Tools</name>
    <message>
        <source>Sample size</source>
        <translation>取样大小</translation>
    </message>
    <message>
        <source>Pixels across</source>
        <translation>像素宽度</translation>
    </message>
    <message>
        <source>Aligned</source>
        <translation>对齐</translation>
    </message>
    <message>
        <source>Every stroke goes on from the same distance</source>
        <translation>每次描边都保持相同的取样距离</translation>
    </message>
    <message>
        <source>All layers</source>
        <translation>所有图层</translation>
    </message>
    <message>
        <source>Clone stamp</source>
        <translation>仿制图章</translation>
    </message>
    <message>
        <source>Eyedropper</source>
        <translation>吸管</translation>
    </message>
    <message>
        <source>Hand</source>
        <translation>抓手</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>缩小</translation>
    </message>
    <message>
        <source>Alt does the opposite</source>
        <translation>按住 Alt 键反向操作</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Choose the layer by clicking</source>
        <translation>自动选择图层</translation>
    </message>
    <message>
        <source>Ctrl does the opposite</source>
        <translation>按住 Ctrl 键反向操作</translation>
    </message>
    <message>
        <source>Snap</source>
        <translation>对齐</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>移动</translation>
    </message>
    <message>
        <source>Form</source>
        <translation>形状</translation>
    </message>
    <message>
        <source>To</source>
        <translation>渐变到</translation>
    </message>
    <message>
        <source>Reverse</source>
        <translation>反向</translation>
    </message>
    <message>
        <source>Dither</source>
        <translation>仿色</translation>
    </message>
    <message>
        <source>Hides steps between 8-bit colours</source>
        <translation>消除 8 位颜色间的色阶断层</translation>
    </message>
    <message>
        <source>Gradient</source>
        <translation>渐变</translation>
    </message>
    <message>
        <source>Ratio</source>
        <translation>比例</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Upright</source>
        <translation>竖直</translation>
    </message>
    <message>
        <source>Swaps width and height</source>
        <translation>互换宽度和高度</translation>
    </message>
    <message>
        <source>Keep what is outside</source>
        <translation>保留框外像素</translation>
    </message>
    <message>
        <source>Crop</source>
        <translation>裁剪</translation>
    </message>
    <message>
        <source>{width} × {height}</source>
        <translation>{width} × {height}</translation>
    </message>
    <message>
        <source>Cut off the empty corners</source>
        <translation>裁去空白角落</translation>
    </message>
    <message>
        <source>Straighten</source>
        <translation>拉直</translation>
    </message>
    <message>
        <source>{angle}°</source>
        <translation>{angle}°</translation>
    </message>
    <message>
        <source>Select rectangle</source>
        <translation>矩形选框</translation>
    </message>
    <message>
        <source>Select ellipse</source>
        <translation>椭圆选框</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Hardness</source>
        <translation>硬度</translation>
    </message>
    <message>
        <source>Opacity</source>
        <translation>不透明度</translation>
    </message>
    <message>
        <source>The most that one stroke puts on</source>
        <translation>单次描边的最大不透明度</translation>
    </message>
    <message>
        <source>Flow</source>
        <translation>流量</translation>
    </message>
    <message>
        <source>What each dab puts on</source>
        <translation>每个笔触点的浓度</translation>
    </message>
    <message>
        <source>Spacing</source>
        <translation>间距</translation>
    </message>
    <message>
        <source>Distance of dabs, of their size</source>
        <translation>笔触点间距，占画笔大小的比例</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>平滑</translation>
    </message>
    <message>
        <source>Roundness</source>
        <translation>圆度</translation>
    </message>
    <message>
        <source>Angle</source>
        <translation>角度</translation>
    </message>
    <message>
        <source>Pressure changes the size</source>
        <translation>压力控制大小</translation>
    </message>
    <message>
        <source>Pressure changes the opacity</source>
        <translation>压力控制不透明度</translation>
    </message>
    <message>
        <source>Pressure changes the flow</source>
        <translation>压力控制流量</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>模式</translation>
    </message>
    <message>
        <source>Brush</source>
        <translation>画笔</translation>
    </message>
    <message>
        <source>Eraser</source>
        <translation>橡皮擦</translation>
    </message>
    <message>
        <source>Shift adds, Alt subtracts, both intersect</source>
        <translation>Shift 添加，Alt 减去，两者同按取交集</translation>
    </message>
    <message>
        <source>Smooth edges</source>
        <translation>消除锯齿</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>羽化</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>取样源</translation>
    </message>
    <message>
        <source>Alt or Ctrl and a click chooses one</source>
        <translation>按住 Alt 或 Ctrl 键单击以取样</translation>
    </message>
    <message>
        <source>Healing brush</source>
        <translation>修复画笔</translation>
    </message>
    <message>
        <source>Lasso</source>
        <translation>套索</translation>
    </message>
    <message>
        <source>Select polygon</source>
        <translation>多边形套索</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>颜色</translation>
    </message>
    <message>
        <source>Tolerance</source>
        <translation>容差</translation>
    </message>
    <message>
        <source>Contiguous</source>
        <translation>连续</translation>
    </message>
    <message>
        <source>All of the selection</source>
        <translation>整个选区</translation>
    </message>
    <message>
        <source>Looks at all layers</source>
        <translation>对所有图层取样</translation>
    </message>
    <message>
        <source>Fill</source>
        <translation>填充</translation>
    </message>
    <message>
        <source>Magic wand</source>
        <translation>魔棒</translation>
    </message>
    <message>
        <source>Font</source>
        <translation>字体</translation>
    </message>
    <message>
        <source>Bold</source>
        <translation>粗体</translation>
    </message>
    <message>
        <source>Italic</source>
        <translation>斜体</translation>
    </message>
    <message>
        <source>Underline</source>
        <translation>下划线</translation>
    </message>
    <message>
        <source>Alignment</source>
        <translation>对齐方式</translation>
    </message>
    <message>
        <source>Line height</source>
        <translation>行高</translation>
    </message>
    <message>
        <source>Letter spacing</source>
        <translation>字距</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>文字</translation>
    </message>
    <message>
        <source>Keep the ratio</source>
        <translation>保持长宽比</translation>
    </message>
    <message>
        <source>Shift does the opposite</source>
        <translation>按住 Shift 键反向操作</translation>
    </message>
    <message>
        <source>X</source>
        <translation>X</translation>
    </message>
    <message>
        <source>Y</source>
        <translation>Y</translation>
    </message>
    <message>
        <source>Width (%)</source>
        <translation>宽度（%）</translation>
    </message>
    <message>
        <source>Height (%)</source>
        <translation>高度（%）</translation>
    </message>
    <message>
        <source>Transform</source>
        <translation>变换</translation>
    </message>
    <message>
        <source>{width} × {height} %, {angle}°</source>
        <translation>{width} × {height} %，{angle}°</translation>
    </message>
</context>
<context>
    <name>TranslatePanel</name>
    <message>
        <source>Show the subject&apos;s mask</source>
        <translation>显示主体蒙版</translation>
    </message>
    <message>
        <source>Where the model sees the subject</source>
        <translation>模型看到主体的位置</translation>
    </message>
    <message>
        <source>What it sees…</source>
        <translation>模型所见…</translation>
    </message>
    <message>
        <source>Features and attention of the model for this picture, step by step</source>
        <translation>逐步查看模型对这张图片的特征与注意力</translation>
    </message>
    <message>
        <source>Compare…</source>
        <translation>对比…</translation>
    </message>
    <message>
        <source>Several texts and strengths side by side</source>
        <translation>并排比较多段文字与多种强度</translation>
    </message>
    <message>
        <source>Features: {needed} MiB, {limit} may be kept. The rest is computed for each text.</source>
        <translation>特征需要 {needed} MiB，最多可保留 {limit} MiB。其余部分会为每段文字重新计算。</translation>
    </message>
    <message>
        <source>Keeps {needed} MiB of the picture&apos;s features: a further text costs half.</source>
        <translation>会保留图片的 {needed} MiB 特征：换一段文字只需一半的开销。</translation>
    </message>
    <message>
        <source>Working…</source>
        <translation>正在处理…</translation>
    </message>
    <message>
        <source>Make again</source>
        <translation>重新生成</translation>
    </message>
    <message>
        <source>Open a picture first.</source>
        <translation>请先打开一张图片。</translation>
    </message>
    <message>
        <source>The picture has another form now. The sliders work again once the layer is made anew.</source>
        <translation>画面的形状已改变。重新生成图层后，滑块即可继续使用。</translation>
    </message>
    <message>
        <source>The sliders change this layer; it is made from the same picture.</source>
        <translation>滑块会改变此图层;它仍由同一张图片生成。</translation>
    </message>
    <message>
        <source>Say what the picture shall become. The result becomes a layer of its own.</source>
        <translation>说明图片要变成什么。结果会成为一个独立的图层。</translation>
    </message>
</context>
<context>
    <name>Translation</name>
    <message>
        <source>Structure and appearance</source>
        <translation>结构与外观</translation>
    </message>
    <message>
        <source>Preparing sliders</source>
        <translation>正在准备滑块</translation>
    </message>
</context>
<context>
    <name>TranslationDialog</name>
    <message>
        <source>Compare texts and strengths</source>
        <translation>比较文字与强度</translation>
    </message>
    <message>
        <source>Texts, one a line</source>
        <translation>文字,每行一段</translation>
    </message>
    <message>
        <source>One text a line</source>
        <translation>每行一段文字</translation>
    </message>
    <message>
        <source>{prompt}, structure {structure}</source>
        <translation>{prompt}，结构 {structure}</translation>
    </message>
    <message>
        <source>Structure</source>
        <translation>结构</translation>
    </message>
</context>
<context>
    <name>TranslationSheet</name>
    <message>
        <source>Compare: {prompt}</source>
        <translation>对比：{prompt}</translation>
    </message>
</context>
<context>
    <name>UnknownWords</name>
    <message>
        <source>This model cannot draw: {names}</source>
        <translation>此模型画不出：{names}</translation>
    </message>
</context>
<context>
    <name>VariationCard</name>
    <message>
        <source>Seed {seed}</source>
        <translation>种子 {seed}</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
</context>
<context>
    <name>VariationSession</name>
    <message>
        <source>Use the variation with seed {seed}</source>
        <translation>使用种子为 {seed} 的变体</translation>
    </message>
    <message>
        <source>Variation with seed {seed}</source>
        <translation>种子为 {seed} 的变体</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>You can also drop files here, or paste a picture.</source>
        <translation>也可以将文件拖放到此处，或粘贴图片。</translation>
    </message>
    <message>
        <source>New from prompt…</source>
        <translation>用提示词新建…</translation>
    </message>
    <message>
        <source>Describe a picture</source>
        <translation>用文字描述图片</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>打开…</translation>
    </message>
    <message>
        <source>A photo or a project</source>
        <translation>照片或工程</translation>
    </message>
    <message>
        <source>New canvas…</source>
        <translation>新建画布…</translation>
    </message>
    <message>
        <source>Start with a blank page</source>
        <translation>从空白画布开始</translation>
    </message>
    <message>
        <source>Get a model for photos…</source>
        <translation>获取用于照片的模型…</translation>
    </message>
    <message>
        <source>The built-in models draw small cartoon scenes</source>
        <translation>内置模型只能绘制小型卡通场景</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>示例</translation>
    </message>
    <message>
        <source>Recent files</source>
        <translation>最近打开</translation>
    </message>
    <message>
        <source>What would you like to make?</source>
        <translation>想制作什么？</translation>
    </message>
</context>
<context>
    <name>WindowCommands</name>
    <message>
        <source>Import concepts</source>
        <translation>导入概念</translation>
    </message>
    <message>
        <source>Concepts (*.safetensors)</source>
        <translation>概念 (*.safetensors)</translation>
    </message>
    <message>
        <source>Export concept</source>
        <translation>导出概念</translation>
    </message>
    <message>
        <source>Export where the model looks for “{subject}”</source>
        <translation>导出模型对“{subject}”的关注区域</translation>
    </message>
    <message>
        <source>PNG (*.png)</source>
        <translation>PNG (*.png)</translation>
    </message>
    <message>
        <source>Apply a recipe</source>
        <translation>应用配方</translation>
    </message>
    <message>
        <source>Recipe (*.json)</source>
        <translation>配方 (*.json)</translation>
    </message>
    <message>
        <source>Open as layer</source>
        <translation>作为图层打开</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Save project</source>
        <translation>保存工程</translation>
    </message>
    <message>
        <source>OpenRaster project (*.ora)</source>
        <translation>OpenRaster 工程 (*.ora)</translation>
    </message>
    <message>
        <source>Pictures ({patterns});;All files (*)</source>
        <translation>图片 ({patterns});;所有文件 (*)</translation>
    </message>
    <message>
        <source>Save changes to “{title}”?</source>
        <translation>要保存对“{title}”的更改吗？</translation>
    </message>
    <message>
        <source>Without saving, the changes are lost.</source>
        <translation>如果不保存，更改将会丢失。</translation>
    </message>
    <message>
        <source>Discard all</source>
        <translation>全部丢弃</translation>
    </message>
    <message>
        <source>The last change is still being computed and is not part of this file.</source>
        <translation>最后一项更改仍在计算中，未包含在此文件中。</translation>
    </message>
    <message>
        <source>Save again when it is done.</source>
        <translation>完成后请再次保存。</translation>
    </message>
    <message>
        <source>“{name}” exists. Replace it?</source>
        <translation>“{name}”已存在。要替换它吗？</translation>
    </message>
    <message>
        <source>Replace?</source>
        <translation>替换？</translation>
    </message>
</context>
<context>
    <name>Workspace</name>
    <message>
        <source>Open pictures</source>
        <translation>打开的图片</translation>
    </message>
    <message>
        <source>Close {title}</source>
        <translation>关闭 {title}</translation>
    </message>
</context>
<context>
    <name>ZoomBox</name>
    <message>
        <source>Zoom</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Zoom; type a number or choose one</source>
        <translation>缩放比例；输入数值或从列表选择</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>适合</translation>
    </message>
</context>
</TS>
