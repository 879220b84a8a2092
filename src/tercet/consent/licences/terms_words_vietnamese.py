"""The sentences of terms in Vietnamese: the same keys as in English, with the same values."""

from __future__ import annotations

VIETNAMESE: dict[str, str] = {
    "title": "Điều khoản cấp phép bằng lời dễ hiểu",
    "basis": "Nội dung được ký là bản dữ liệu (tercet/terms@1). Văn bản này được lập từ chính bản "
    "dữ liệu đó, lần lượt từng mục. Điều gì văn bản này không cho phép thì không được phép.",
    # Các bên
    "section.parties": "Các bên",
    "licensor": "Bên cấp phép là {party}.",
    "licensee": "Bên được cấp phép là {party}.",
    "licensee.nobody": "Giấy phép này được chào công khai cho mọi người: chưa nêu tên bên được cấp "
    "phép.",
    "mandate": "Bên cấp phép thay mặt người khác, theo giấy ủy quyền hoặc bản kê tác phẩm của tổ "
    "chức đại diện tập thể có mã {mandate}.",
    "mandate.none": "Bên cấp phép nhân danh chính mình.",
    # Tác phẩm
    "section.works": "Tác phẩm",
    "repertoire": "Giấy phép này áp dụng cho {works} trong danh mục có mã SHA-256 là {sha256}, "
    "không áp dụng cho tác phẩm nào khác.",
    "repertoire.none": "Chưa nêu danh mục tác phẩm, nên giấy phép không áp dụng cho tác phẩm nào.",
    "exclusions": "Bị loại trừ khỏi danh mục ({works}): {list}.",
    "exclusions.none": "Không tác phẩm nào trong danh mục bị loại trừ.",
    # Phạm vi
    "section.grant": "Những gì được phép",
    "usages": "Được phép sử dụng tác phẩm để: {yes}. Không được phép sử dụng để: {no}.",
    "usages.all": "Được phép sử dụng tác phẩm để: {yes}.",
    "usages.none": "Không được phép sử dụng tác phẩm vào bất cứ việc gì. Không được phép: {no}.",
    "purposes": "Mục đích được phép: {yes}. Mục đích không được phép: {no}.",
    "purposes.all": "Mục đích được phép: {yes}.",
    "purposes.none": "Không mục đích nào được phép. Không được phép: {no}.",
    "modalities_in": "Được phép đưa từ tác phẩm vào mô hình: {yes}. Không được phép: {no}.",
    "modalities_in.all": "Được phép đưa từ tác phẩm vào mô hình: {yes}.",
    "modalities_in.none": "Không được phép đưa bất cứ thứ gì từ tác phẩm vào mô hình. Không được "
    "phép: {no}.",
    "modalities_out": "Mô hình được phép tạo ra: {yes}. Không được phép: {no}.",
    "modalities_out.all": "Mô hình được phép tạo ra: {yes}.",
    "modalities_out.none": "Mô hình không được phép tạo ra bất cứ thứ gì. Không được phép: {no}.",
    "fields_of_use": "Sản phẩm do mô hình tạo ra được phép sử dụng: {yes}. Không được phép sử "
    "dụng: {no}.",
    "fields_of_use.all": "Sản phẩm do mô hình tạo ra được phép sử dụng: {yes}.",
    "fields_of_use.none": "Sản phẩm do mô hình tạo ra không được phép sử dụng ở bất cứ đâu. Không "
    "được phép: {no}.",
    "models.one": "Chỉ được phép dùng một phiên bản của một mô hình: phiên bản {version} của "
    "{model}. Mọi phiên bản khác đều cần giấy phép mới.",
    "models.none": "Chưa nêu mô hình nào, nên không mô hình nào được phép dùng.",
    "models.family": "Được phép dùng mọi phiên bản của mô hình {model}; không được phép dùng mô "
    "hình nào khác.",
    "models.any": "Được phép dùng bất kỳ mô hình nào.",
    "parameters": "Mô hình chỉ được có nhiều nhất {count} tham số.",
    "parameters.none": "Không giới hạn kích thước của mô hình.",
    # Nơi và thời hạn
    "section.place": "Phạm vi lãnh thổ và thời hạn",
    "territory": "Giấy phép có hiệu lực tại: {yes}. Giấy phép không có hiệu lực ở nơi nào khác.",
    "territory.world": "Giấy phép có hiệu lực tại mọi quốc gia.",
    "territory.none": "Chưa nêu quốc gia nào, nên giấy phép không có hiệu lực ở bất cứ đâu.",
    "territory.without": "Ngoại trừ: {no}.",
    "territory.whole": "Không ngoại trừ quốc gia nào.",
    "period": "Giấy phép bắt đầu từ {start}. Ngày cuối cùng là {last}.",
    "period.ever": "Giấy phép bắt đầu từ {start} và có hiệu lực vô thời hạn.",
    "period.none": "Chưa nêu thời hạn, nên giấy phép không có hiệu lực vào bất cứ thời điểm nào.",
    "training_end": "Ngày cuối cùng được phép huấn luyện là {last}.",
    "training_end.never": "Không có ngày nào được phép huấn luyện.",
    "training_end.same": "Được phép huấn luyện trong suốt thời hạn của giấy phép.",
    "training_end.none": "Chưa nêu thời hạn huấn luyện.",
    "tail.none": "Khi giấy phép hết hạn, các mô hình đã học từ tác phẩm không được phép tạo ra sản "
    "phẩm nữa.",
    "tail.months": "Khi giấy phép hết hạn, các mô hình đã học từ tác phẩm được phép tiếp tục tạo "
    "ra sản phẩm trong {months}.",
    "tail.perpetual": "Khi giấy phép hết hạn, các mô hình đã học từ tác phẩm được phép tiếp tục "
    "tạo ra sản phẩm vô thời hạn.",
    # Bên thứ ba
    "section.others": "Độc quyền và quyền của người khác",
    "exclusivity.none": "Giấy phép này không độc quyền: bên cấp phép có thể cấp quyền tương tự cho "
    "người khác.",
    "exclusivity.sole": "Đây là giấy phép duy nhất: chính bên cấp phép vẫn được phép sử dụng tác "
    "phẩm như vậy, nhưng không cấp quyền đó cho ai khác.",
    "exclusivity.exclusive": "Đây là giấy phép độc quyền: không ai khác được phép sử dụng tác phẩm "
    "như vậy, kể cả bên cấp phép.",
    "sublicence.none": "Bên được cấp phép không được cấp phép lại cho ai.",
    "sublicence.affiliates": "Bên được cấp phép chỉ được cấp phép lại cho các công ty trong cùng "
    "tập đoàn, ngoài ra không cho ai khác.",
    "sublicence.named": "Bên được cấp phép chỉ được cấp phép lại cho những bên sau, ngoài ra không "
    "cho ai khác: {list}.",
    "sublicence.any": "Bên được cấp phép được cấp phép lại cho bất cứ ai.",
    "most_favoured": "Nếu người khác được cấp phép với điều kiện tốt hơn cho cùng nội dung, bên "
    "được cấp phép cũng được hưởng điều kiện đó. Các giấy phép đã cấp trong vòng {months} trước "
    "đó cũng được tính.",
    "most_favoured.ahead": "Nếu sau này người khác được cấp phép với điều kiện tốt hơn cho cùng "
    "nội dung, bên được cấp phép cũng được hưởng điều kiện đó. Các giấy phép đã cấp trước đó "
    "không được tính.",
    "most_favoured.none": "Bên được cấp phép không có quyền đòi hưởng điều kiện tốt hơn mà người "
    "khác có thể được hưởng.",
    # Giá
    "section.price": "Tiền phải trả",
    "price.free": "Không phải trả tiền.",
    "currency": "Đơn vị tiền tệ: {currency}.",
    "currency.none": "Không nêu đơn vị tiền tệ.",
    "fixed": "Phí cố định, trả một lần: {amount}.",
    "per_minute": "Cho mỗi phút của tác phẩm: {amount}.",
    "per_work": "Cho mỗi tác phẩm: {amount}.",
    "per_token": "Cho mỗi token của tác phẩm: {amount}.",
    "per_generation": "Cho mỗi sản phẩm do mô hình tạo ra: {amount}.",
    "per_output_second": "Cho mỗi giây của sản phẩm do mô hình tạo ra: {amount}.",
    "share.gross": "Phần chia theo doanh thu, tính trước khi trừ bất cứ khoản nào: {share}.",
    "share.net": "Phần chia theo doanh thu, sau khi chỉ trừ những khoản sau ({list}): {share}.",
    "guarantee": "Dù sử dụng nhiều hay ít, tổng số tiền trả ít nhất là (mức bảo đảm tối thiểu): "
    "{amount}.",
    "advance": "Trả trước, và được trừ vào các khoản đến hạn sau này: {amount}.",
    "cap": "Tổng số tiền trả nhiều nhất là (mức trần): {amount}.",
    "floor": "Mỗi kỳ báo cáo trả ít nhất (mức sàn): {amount}.",
    "price.not": "Giá không gồm: {list}.",
    "late_interest": "Khoản trả chậm chịu lãi {share} mỗi năm.",
    "late_interest.none": "Không thỏa thuận lãi cho khoản trả chậm.",
    "grosses_up": "Nếu một quốc gia khấu trừ thuế trên khoản thanh toán, bên được cấp phép trả "
    "thêm để bên cấp phép vẫn nhận đủ số tiền.",
    "grosses_up.none": "Nếu một quốc gia khấu trừ thuế trên khoản thanh toán, bên cấp phép chịu "
    "khoản thuế đó.",
    # Bản sao
    "section.copies": "Bản sao và việc xóa bản sao",
    "raw": "Được phép giữ bản sao của tác phẩm trong {days} sau khi huấn luyện xong.",
    "raw.none": "Không được phép giữ bản sao của tác phẩm sau khi huấn luyện xong.",
    "features": "Dữ liệu tính ra từ tác phẩm để huấn luyện (đặc trưng) được phép giữ trong {days} "
    "sau khi huấn luyện xong.",
    "features.none": "Dữ liệu tính ra từ tác phẩm để huấn luyện (đặc trưng) không được phép giữ "
    "sau khi huấn luyện xong.",
    "checkpoints": "Được phép giữ các trạng thái của mô hình lưu lại trong khi huấn luyện "
    "(checkpoint).",
    "checkpoints.none": "Không được phép giữ các trạng thái của mô hình lưu lại trong khi huấn "
    "luyện (checkpoint).",
    "delete_on": "Mọi bản sao phải được xóa trong vòng {days} kể từ khi: {yes}. Không phải xóa "
    "khi: {no}.",
    "delete_on.all": "Mọi bản sao phải được xóa trong vòng {days} kể từ khi: {yes}.",
    "delete_on.none": "Không có sự kiện nào buộc phải xóa bản sao, kể cả khi: {no}. (Thời hạn xóa, "
    "nếu có, là {days}.)",
    "certificate": "Bên được cấp phép phải xác nhận mỗi lần xóa bằng văn bản.",
    "certificate.none": "Bên được cấp phép không phải xác nhận việc xóa.",
    # Giới hạn đầu ra
    "section.guards": "Giới hạn đối với sản phẩm do mô hình tạo ra",
    "similarity": "Sản phẩm do mô hình tạo ra chỉ được giống một tác phẩm ở mức nhiều nhất "
    "{share}, theo kết quả đo.",
    "similarity.none": "Sản phẩm do mô hình tạo ra không được giống một tác phẩm đến mức đo được.",
    "quoted": "Sản phẩm do mô hình tạo ra chỉ được trích liền nhau nhiều nhất {words} của một tác "
    "phẩm.",
    "quoted.none": "Sản phẩm do mô hình tạo ra không được trích dù chỉ một từ của tác phẩm.",
    "persons": "Không sản phẩm nào được sao chép một con người, dù là khuôn mặt, giọng nói hay "
    "hình thể.",
    "persons.none": "Các điều khoản này không cấm sao chép khuôn mặt, giọng nói hay hình thể của "
    "con người.",
    "styles": "Không ai được yêu cầu mô hình làm theo một phong cách bằng cách nêu tên người sáng "
    "tác hay chủ sở hữu.",
    "styles.none": "Các điều khoản này không cấm yêu cầu mô hình làm theo một phong cách bằng cách "
    "nêu tên ai đó.",
    "scenes": "Không sản phẩm nào được dựng lại một cảnh của tác phẩm.",
    "scenes.none": "Các điều khoản này không cấm dựng lại cảnh của tác phẩm.",
    "blocked_words": "Những từ sau không được có trong câu lệnh (prompt): {list}.",
    "blocked_words.none": "Không có từ nào bị cấm trong câu lệnh (prompt).",
    # Ghi công
    "section.credit": "Cách xác định đóng góp của tác phẩm",
    "method": "Phương pháp dùng để xác định tác phẩm của ai đã góp vào một sản phẩm: {method}.",
    "method.none": "Chưa thỏa thuận phương pháp xác định tác phẩm của ai đã góp vào một sản phẩm.",
    "reliability": "Kết quả đo chỉ được tính khi độ tin cậy đạt ít nhất {share}.",
    "reliability.none": "Không thỏa thuận mức tối thiểu cho độ tin cậy của kết quả đo.",
    "fallback.equal": "Khi kết quả đo không được tính, tiền được chia đều cho tất cả tác phẩm.",
    "fallback.prorata": "Khi kết quả đo không được tính, tiền được chia cho các chủ sở hữu theo tỷ "
    "lệ tác phẩm mà họ đã góp.",
    "fallback.hold": "Khi kết quả đo không được tính, tiền được giữ lại cho đến khi có thể chia "
    "đúng.",
    # Báo cáo
    "section.reports": "Báo cáo và kiểm tra",
    "reporting": "Bên được cấp phép phải báo cáo {every}, chậm nhất {days} sau mỗi kỳ. Báo cáo nêu "
    "rõ: {list}.",
    "reporting.empty": "Bên được cấp phép phải báo cáo {every}, chậm nhất {days} sau mỗi kỳ. Nội "
    "dung báo cáo không được quy định.",
    "reporting.none": "Bên được cấp phép không phải báo cáo.",
    "audit": "Bên cấp phép có quyền kiểm tra sổ sách của bên được cấp phép mỗi năm {times}, sau "
    "khi báo trước {days}.",
    "audit.none": "Bên cấp phép không có quyền kiểm tra sổ sách của bên được cấp phép.",
    "records": "Bên được cấp phép phải lưu giữ sổ sách trong {years}.",
    "records.none": "Không thỏa thuận thời hạn lưu giữ sổ sách.",
    "cost_shift": "Nếu kiểm tra phát hiện sai lệch từ {share} trở lên, gây thiệt hại cho bên cấp "
    "phép, thì bên được cấp phép chịu chi phí kiểm tra.",
    "cost_shift.none": "Bên cấp phép tự chịu chi phí kiểm tra, dù kết quả thế nào.",
    # Kết thúc
    "section.end": "Khi ngừng cung cấp dịch vụ",
    "notice": "Bên được cấp phép phải báo trước {days}.",
    "notice.none": "Bên được cấp phép không phải báo trước.",
    "escrow": "Để phòng trường hợp đó, một bên trung lập giữ khoản ký quỹ: {amount}.",
    "escrow.none": "Không có khoản ký quỹ nào.",
    "survival": "Những nghĩa vụ vẫn còn sau khi kết thúc: {yes}. Những nghĩa vụ không còn: {no}.",
    "survival.all": "Những nghĩa vụ vẫn còn sau khi kết thúc: {yes}.",
    "survival.none": "Không nghĩa vụ nào còn lại sau khi kết thúc, kể cả: {no}.",
    # Luật
    "section.law": "Luật áp dụng và giải quyết tranh chấp",
    "governing": "Áp dụng pháp luật của {country}.",
    "governing.none": "Không chọn luật áp dụng.",
    "forum": "Tòa án của {country} có thẩm quyền giải quyết.",
    "forum.none": "Không chọn tòa án.",
    "steps": "Trước khi ra tòa, các bên lần lượt: {list}.",
    "steps.none": "Không thỏa thuận bước nào trước khi ra tòa.",
    # Ghi chú
    "section.notes": "Ghi chú",
    "note": "Ghi chú {number}, không có giá trị quyết định: {text}",
    "notes.none": "Không có ghi chú.",
    # Từ ngữ
    "works.one": "1 tác phẩm",
    "works.other": "{count} tác phẩm",
    "words.one": "1 từ",
    "words.other": "{count} từ",
    "times.one": "1 lần",
    "times.other": "{count} lần",
    "days.one": "1 ngày",
    "days.other": "{count} ngày",
    "months.one": "1 tháng",
    "months.other": "{count} tháng",
    "years.one": "1 năm",
    "years.other": "{count} năm",
    "every.one": "mỗi tháng một lần",
    "every.other": "{count} tháng một lần",
    "currency.VED": "Bolívar kỹ thuật số Venezuela",
    "currency.XCG": "Guilder Caribe",
    "currency.ZWG": "Đồng vàng Zimbabwe",
    "currency.name": "{name} ({code})",
    "country.name": "{name} ({code})",
    "party.named": "{name} ({id})",
    "party.nameless": "bên có mã {id}, không nêu tên",
    "quote": "“{text}”",
    "Usage.train_generative": "huấn luyện mô hình AI tạo sinh",
    "Usage.train_nongenerative": "huấn luyện mô hình AI khác",
    "Usage.ai_input": "làm dữ liệu đầu vào cho hệ thống AI khi trả lời",
    "Usage.ai_index": "lập chỉ mục cho hệ thống AI",
    "Usage.search": "phục vụ tìm kiếm",
    "Usage.mine": "khai phá văn bản và dữ liệu",
    "Purpose.pretrain": "huấn luyện từ đầu (dạy mô hình lần đầu tiên)",
    "Purpose.finetune": "tinh chỉnh (dạy thêm cho mô hình đã huấn luyện)",
    "Purpose.evaluate": "đánh giá (kiểm tra mô hình)",
    "Purpose.reference": "tham chiếu (đưa cho mô hình xem khi trả lời)",
    "Purpose.output_feature": "đưa nhân vật, âm thanh hoặc cảnh của tác phẩm vào sản phẩm do mô "
    "hình tạo ra",
    "Modality.text": "văn bản",
    "Modality.image": "hình ảnh",
    "Modality.video": "video",
    "Modality.audio": "âm thanh",
    "Modality.scene": "cảnh ba chiều và bản vẽ",
    "FieldOfUse.consumer": "trong sản phẩm cho người tiêu dùng",
    "FieldOfUse.enterprise": "trong sản phẩm cho doanh nghiệp",
    "FieldOfUse.internal": "trong nội bộ tổ chức của bên được cấp phép",
    "FieldOfUse.research": "trong nghiên cứu",
    "Trigger.expiry": "giấy phép hết hạn",
    "Trigger.termination": "giấy phép bị chấm dứt",
    "Trigger.insolvency": "bên được cấp phép mất khả năng thanh toán",
    "Trigger.discontinuation": "dịch vụ hoặc mô hình ngừng hoạt động",
    "Surviving.payment": "thanh toán",
    "Surviving.audit": "kiểm tra sổ sách",
    "Surviving.deletion": "xóa bản sao",
    "Surviving.attribution": "ghi nhận đóng góp",
    "Price.fixed_micros": "phí cố định",
    "Price.per_minute_micros": "giá theo phút",
    "Price.per_work_micros": "giá theo tác phẩm",
    "Price.per_token_micros": "giá theo token",
    "Price.per_generation_micros": "giá theo sản phẩm được tạo ra",
    "Price.per_output_second_micros": "giá theo giây của sản phẩm được tạo ra",
    "Price.share_basis_points": "phần chia doanh thu",
    "Price.guarantee_micros": "mức bảo đảm tối thiểu",
    "Price.advance_micros": "khoản trả trước",
    "Price.cap_micros": "mức trần",
    "Price.floor_micros": "mức sàn",
    "free.outputs": "số sản phẩm được tạo ra",
    "free.seconds": "tổng số giây của các sản phẩm",
    "free.revenue": "doanh thu thu được",
    "free.talks": "thương lượng",
    "free.mediation": "hòa giải",
    "free.expert": "lấy ý kiến chuyên gia",
    "free.arbitration": "trọng tài",
    "free.taxes": "thuế bán hàng",
    "free.refunds": "tiền hoàn lại",
    "free.payment_fees": "phí thanh toán",
}
